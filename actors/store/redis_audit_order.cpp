#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <set>
#include <utility>

/// Every lane that is not empty has one head, in the order or parked.
namespace troupe::store {

namespace {

/// A head: the queue, a rank, the rest of the lane.
struct split_head {
  std::string lane, rank;
};

split_head split(std::string_view head) {
  if (head.empty())
    return {};
  const std::size_t queue = 1 + static_cast<unsigned char>(head[0]);
  if (head.size() <= queue + rank_size)
    return {};
  return {std::string{head.substr(0, queue)}
            + std::string{head.substr(queue + rank_size)},
          std::string{head.substr(queue, rank_size)}};
}

std::string head_of(const std::string& lane, std::string_view rank) {
  const std::size_t queue = 1 + static_cast<unsigned char>(lane[0]);
  return lane.substr(0, queue) + std::string{rank} + lane.substr(queue);
}

/// As lua/apply.lua names it.
std::string parked_lane(const std::string& lane) {
  const std::size_t queue = 1 + static_cast<unsigned char>(lane[0]);
  return "g" + lane.substr(queue, lane.size() - queue - 1) + lane;
}

std::string lane_of_parked(const std::string& member) {
  std::uint32_t size = 0;
  if (member.size() < 1 + sizeof size)
    return {};
  member.copy(reinterpret_cast<char*>(&size), sizeof size, 1);
  return member.substr(std::min(member.size(), 1 + sizeof size + size));
}

bool is_lane(const std::string& lane) {
  return lane_size(lane + std::string(rank_size, '\0')) == lane.size();
}

} // namespace

/// Looks at the lanes that a page of an index names, once each.
result<void> redis_audit::lanes(redis_key key) {
  auto page = scan(key, "ZSCAN");
  if (!page)
    return page.error();
  std::set<std::pair<std::string, std::string>> seen; // lane, its head
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    const auto& member = (*page)[i];
    if (key == redis_key::ready)
      seen.emplace(member.substr(0, lane_size(member)), "");
    else if (key == redis_key::heads)
      seen.emplace(split(member).lane, member);
    else if (member.starts_with('h'))
      seen.emplace(split(std::string_view{member}.substr(1)).lane, member);
    else
      seen.emplace(lane_of_parked(member), "");
  }
  for (const auto& [lane, member] : seen) {
    if (lane.empty() || !is_lane(lane))
      continue;
    if (auto done = check_lane(lane, member); !done)
      return done;
  }
  return {};
}

/// @param seen a head that was found, perhaps not that of the first job
result<void> redis_audit::check_lane(const std::string& lane,
                                     const std::string& seen) {
  const auto from = "[" + lane, to = "(" + lane + "\xff";
  const redis_args first{
    "ZRANGEBYLEX", name_of(redis_key::ready), from, to, "LIMIT", "0", "1"};
  auto reply = client_.ask(first);
  if (!reply)
    return reply.error();
  lane_state it{lane, std::string{text_at(**reply, 0)}};
  if (!it.rank.empty())
    it.rank = it.rank.substr(lane.size(), rank_size);
  const auto head = it.rank.empty() ? "" : head_of(lane, it.rank);
  const auto parked = "h" + head, group = parked_lane(lane);
  const auto heads = name_of(redis_key::heads);
  const auto parked_key = name_of(redis_key::parked);
  auto replies = at_once({first,
                          {"ZSCORE", heads, head},
                          {"ZSCORE", parked_key, parked},
                          {"ZSCORE", parked_key, group},
                          {"ZSCORE", heads, seen},
                          {"ZSCORE", parked_key, seen}});
  if (!replies)
    return replies.error();
  const auto is = [&](std::size_t at) {
    return is_text(*(*replies)->element[at]);
  };
  const auto again = text_at(*(*replies)->element[0], 0);
  if (again.substr(0, lane.size() + rank_size)
      != (it.rank.empty() ? "" : lane + it.rank))
    return {}; // it moves: next time
  it.head = is(1);
  it.parked_head = is(2);
  it.parked_lane = is(3);
  if (!seen.empty() && seen != head && seen != parked && (is(4) || is(5))
      && find("head", key_of_lane(lane), "a job that is not the first")) {
    redis_group repair{client_, options_};
    if (auto read = repair.read(); !read)
      return read;
    repair.changes.remove(is(4) ? redis_key::heads : redis_key::parked, seen);
    if (auto done = mend(repair); !done)
      return done;
  }
  return judge_lane(it);
}

result<void> redis_audit::judge_lane(const lane_state& it) {
  const bool exists = !it.rank.empty();
  const bool ready = it.head && !it.parked_head && !it.parked_lane;
  const bool parked = !it.head && it.parked_head && it.parked_lane;
  if (exists ? ready : !it.parked_lane)
    return {};
  if (exists && parked)
    return check_room(it.lane);
  if (!find("head", key_of_lane(it.lane),
            exists ? "a lane is not in the order, or twice"
                   : "an empty lane is parked"))
    return {};
  redis_group repair{client_, options_};
  if (auto read = repair.read(); !read)
    return read;
  const auto head = exists ? head_of(it.lane, it.rank) : "";
  // As it is now: a lane that moves meanwhile keeps its heads itself.
  repair.changes.touch(it.lane);
  repair.changes.remove(redis_key::parked, parked_lane(it.lane));
  if (exists) {
    repair.changes.remove(redis_key::parked, "h" + head);
    repair.changes.add(redis_key::heads, head);
  }
  return mend(repair);
}

/// A parked lane's group has no room, or waits for a token.
result<void> redis_audit::check_room(const std::string& lane) {
  const std::size_t queue_size = static_cast<unsigned char>(lane[0]);
  const auto queue = flow_name_of_queue(lane.substr(1, queue_size));
  const auto key = flow_name_of_key(key_of_lane(lane));
  const auto limits = name_of(redis_key::limits);
  const auto parked = parked_lane(lane);
  auto replies = at_once({{"HGET", limits, queue},
                          {"HGET", limits, key},
                          {"HGET", name_of(redis_key::running), key},
                          {"ZSCORE", name_of(redis_key::tokens), key},
                          {"ZSCORE", name_of(redis_key::tokens), queue},
                          {"ZSCORE", name_of(redis_key::parked), parked},
                          {"TIME"}});
  if (!replies)
    return replies.error();
  const auto& all = **replies;
  flow_state of_queue, of_key;
  static_cast<void>(unpack_limit(text_at(all, 0), of_queue.limit));
  if (!unpack_limit(text_at(all, 1), of_key.limit))
    of_key.limit.concurrency = of_queue.limit.key_concurrency;
  of_key.running = number_at(all, 2);
  const auto now = number_at(*all.element[6], 0) * 1000;
  const bool waits = is_text(*all.element[3]) || is_text(*all.element[4])
                     || !is_text(*all.element[5]);
  if (waits || of_key.room(now) == 0
      || !find("parked", key_of_lane(lane), "its group has room"))
    return {};
  redis_group repair{client_, options_};
  if (auto read = repair.read(); !read)
    return read;
  repair.changes.run(key, 0);
  return mend(repair);
}

} // namespace troupe::store
