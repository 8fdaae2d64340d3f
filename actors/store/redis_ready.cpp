#include "actors/store/redis_ready.hpp"

#include "actors/store/redis_reply.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

/// Lanes looked at where some may have no room.
constexpr std::size_t least_heads = 64;

} // namespace

ready_reader::ready_reader(redis_group& group, redis_gate& gate,
                           std::string_view queue, std::size_t max)
  : group_{group}, gate_{gate}, prefix_{queue_prefix(queue)}, max_{max},
    heads_{gate.expects_limits() ? std::max(max, least_heads) : max} {
  // nop
}

void ready_reader::need_heads(const claim_guess& guess) {
  need_range(redis_key::heads, prefix_, heads_);
  if (gate_.expects_limits())
    return;
  for (const auto& lane : guess.lanes()) {
    guessed_.push_back({lane, {}});
    need_range(redis_key::ready, lane, max_);
  }
  for (std::size_t i = 0; i < std::min(max_, guess.ids().size()); ++i)
    group_.need_job(guess.ids()[i]);
}

void ready_reader::take_heads(std::size_t at) {
  const auto& heads = group_.extra(at);
  for (std::size_t i = 0; i < size_of(heads); ++i) {
    const auto head = text_at(heads, i);
    if (head.size() <= prefix_.size() + rank_size)
      continue;
    lanes_.push_back(prefix_
                     + std::string{head.substr(prefix_.size() + rank_size)});
    if (i + 1 == heads_)
      last_head_ = head.substr(prefix_.size(), rank_size);
  }
  for (auto& [lane, members] : guessed_)
    take_lane(lane.size(), group_.extra(++at), members);
}

void ready_reader::need_range(redis_key key, std::string_view prefix,
                              std::size_t count) {
  const auto& from = texts_.emplace_back("[" + std::string{prefix});
  const auto& to = texts_.emplace_back("(" + std::string{prefix} + "\xff");
  const auto& most = texts_.emplace_back(std::to_string(count));
  group_.need({"ZRANGEBYLEX", name_of(key), from, to, "LIMIT", "0", most});
}

result<std::vector<candidate>> ready_reader::best() {
  if (lanes_.empty())
    return std::vector<candidate>{};
  const auto most = std::min<std::size_t>(max_, gate_.room());
  if (take_guessed())
    return choose(most);
  auto each = std::clamp<std::size_t>(2 * max_ / lanes_.size(),
                                      std::min<std::size_t>(max_, 8), max_);
  for (;; each = std::min(4 * each, max_)) {
    if (auto read = read_lanes(each); !read)
      return read.error();
    auto chosen = choose(most);
    if (chosen.size() == most || !is_lane_cut_)
      return chosen;
  }
}

/// @return whether all lanes were guessed: then `found_` has what is best
bool ready_reader::take_guessed() {
  const auto guessed = [this](const std::string& lane) {
    return std::ranges::find(
      guessed_, lane, [](auto& it) -> auto& { return it.first; });
  };
  const bool all = std::ranges::all_of(lanes_, [&](const std::string& lane) {
    return guessed(lane) != guessed_.end();
  });
  if (!all || gate_.limits())
    return false;
  for (const auto& lane : lanes_)
    std::ranges::move(guessed(lane)->second, std::back_inserter(found_));
  sort_found(last_head_);
  return true;
}

/// By rank, up to where more may follow.
void ready_reader::sort_found(std::string_view bound) {
  std::ranges::sort(found_, {}, &candidate::rank);
  if (!bound.empty())
    std::erase_if(found_, [&](const auto& it) { return it.rank() > bound; });
}

/// Reads the first `each` jobs of every lane into `found_`, up to where one
/// that was cut may go on.
result<void> ready_reader::read_lanes(std::size_t each) {
  for (const auto& lane : lanes_)
    need_range(redis_key::ready, lane, each);
  gate_.need_groups(lanes_);
  if (auto read = group_.read(); !read)
    return read;
  gate_.take_groups(lanes_.size());
  found_.clear();
  is_lane_cut_ = false;
  std::string bound = last_head_;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const auto before = found_.size();
    take_lane(lanes_[i].size(), group_.extra(i), found_);
    if (each == max_ || found_.size() < before + each)
      continue;
    is_lane_cut_ = true;
    if (bound.empty() || found_.back().rank() < bound)
      bound = found_.back().rank();
  }
  sort_found(bound);
  return {};
}

void ready_reader::take_lane(std::size_t lane_size, const redisReply& members,
                             std::vector<candidate>& to) {
  for (std::size_t i = 0; i < size_of(members); ++i) {
    const auto member = text_at(members, i);
    if (member.size() > lane_size + rank_size)
      to.push_back({std::string{member}, lane_size});
  }
}

std::vector<candidate> ready_reader::choose(std::size_t most) {
  std::vector<candidate> chosen;
  gate_.reset();
  for (const auto& it : found_) {
    if (chosen.size() == most)
      break;
    const auto key = key_of_lane(it.lane());
    if (!gate_.has_room(key))
      continue;
    gate_.take(key);
    chosen.push_back(it);
  }
  return chosen;
}

bool ready_reader::park_full() {
  bool any = false;
  for (const auto& lane : lanes_)
    if (const auto key = key_of_lane(lane); !gate_.has_room(key)) {
      gate_.park(lane, key);
      any = true;
    }
  return any;
}

} // namespace troupe::store
