#include "actors/store/page_room.hpp"
#include "actors/store/page_token.hpp"
#include "actors/store/redis_reply.hpp"
#include "actors/store/redis_store.hpp"
#include "actors/store/transitions.hpp"

#include <algorithm>
#include <deque>
#include <map>

/// What people look at: pages of jobs, and how many there are.
namespace troupe::store {

namespace {

/// A job in an index, by its sequence.
struct row {
  std::uint64_t sequence = 0;
  std::string id;
};

/// What stands before the sequence in the members of the indexes to look at.
std::vector<std::string> prefixes_of(const list_query& query) {
  if (!query.batch.empty())
    return {batch_prefix(query.batch)};
  if (query.state)
    return {state_prefix(*query.state)};
  std::vector<std::string> all;
  for (std::size_t i = 0; i < job_state_count; ++i)
    all.push_back(state_prefix(static_cast<job_state>(i)));
  return all;
}

/// Up to `most` rows below a sequence, newest first.
result<std::vector<row>> read_rows(const list_query& query, std::uint64_t below,
                                   std::size_t most, redis_group& group) {
  const auto key = query.batch.empty() ? redis_key::states : redis_key::batches;
  const auto count = std::to_string(most);
  const auto prefixes = prefixes_of(query);
  std::vector<std::string> from, to;
  for (const auto& prefix : prefixes) {
    from.push_back("(" + prefix + ordered(below));
    to.push_back("[" + prefix);
  }
  for (std::size_t i = 0; i < prefixes.size(); ++i)
    group.need(
      {"ZREVRANGEBYLEX", name_of(key), from[i], to[i], "LIMIT", "0", count});
  if (auto read = group.read(); !read)
    return read.error();
  std::vector<row> rows;
  for (std::size_t i = 0; i < prefixes.size(); ++i)
    for (std::size_t k = 0; k < size_of(group.extra(i)); ++k) {
      const auto rest = text_at(group.extra(i), k).substr(prefixes[i].size());
      rows.push_back({ordered_in(rest), std::string{rest.substr(8)}});
    }
  std::ranges::sort(rows, std::ranges::greater{}, &row::sequence);
  if (rows.size() > most)
    rows.resize(most);
  return rows;
}

/// Reads one page, row by row.
class page_reader {
public:
  page_reader(redis_client& client, const store_options& options,
              const list_query& query, std::uint64_t below)
    : client_{client}, options_{options}, query_{query}, below_{below},
      room_{std::clamp(query.page_size, 1u, 1000u), must_scan(query)} {
    // nop
  }

  result<job_page> read() {
    while (room_.any()) {
      const auto some = read_some();
      if (!some)
        return some.error();
      if (!*some)
        return std::move(page_);
    }
    redis_group group{client_, options_};
    const auto more = read_rows(query_, below_, 1, group);
    if (!more)
      return more.error();
    if (!more->empty())
      page_.next_page_token = make_page_token(query_, below_);
    return std::move(page_);
  }

private:
  /// @return false at the end
  result<bool> read_some() {
    redis_group group{client_, options_};
    const auto rows =
      read_rows(query_, below_, std::min(room_.next(), jobs_per_group), group);
    if (!rows)
      return rows.error();
    for (const auto& [sequence, id] : *rows)
      group.need_job(id);
    if (auto read = group.read(); !read)
      return read.error();
    for (const auto& [sequence, id] : *rows) {
      if (!room_.any())
        break;
      auto& it = group.at(id);
      below_ = sequence;
      // It may have been forgotten since, or cannot be read.
      const bool shown =
        it.error == errc::none && matches(it.record.job, query_);
      room_.look_at(it.record.job, shown);
      if (shown)
        page_.jobs.push_back(std::move(it.record.job));
    }
    return !rows->empty();
  }

  redis_client& client_;
  const store_options& options_;
  const list_query& query_;
  std::uint64_t below_;
  page_room room_;
  job_page page_;
};

/// Within a lane the first is the oldest. Beyond so many lanes, the oldest of
/// those that are served first.
constexpr std::string_view most_lanes = "2000";

timestamp_ms first_ready(const redisReply& heads, std::size_t prefix_size,
                         timestamp_ms oldest, std::int64_t ageing_ms) {
  for (std::size_t i = 0; i < size_of(heads); ++i) {
    const auto head = text_at(heads, i);
    if (head.size() > prefix_size + rank_size)
      oldest = std::min(oldest, ready_of(score_in(head.substr(prefix_size)),
                                         head.back(), ageing_ms));
  }
  return oldest;
}

using depths_by_queue = std::map<std::string, queue_depth, std::less<>>;

result<depths_by_queue> read_counts(redis_group& group) {
  group.need({"HGETALL", name_of(redis_key::depth)});
  if (auto read = group.read(); !read)
    return read.error();
  depths_by_queue queues;
  const auto& reply = group.extra(0);
  for (std::size_t i = 0; i + 1 < size_of(reply); i += 2) {
    const auto field = text_at(reply, i);
    if (field.empty())
      return fail(errc::corrupt, "redis: a number of jobs without a queue");
    const auto state = static_cast<std::size_t>(field.front() - '0');
    const std::string queue{field.substr(state_prefix_size)};
    auto& depth = queues[queue];
    depth.queue = queue;
    depth.by_state[state % job_state_count] =
      static_cast<std::uint64_t>(number_at(reply, i + 1));
  }
  return queues;
}

} // namespace

result<job_page> redis_store::list(const list_query& query) {
  const auto from = read_page_token(query);
  if (!from)
    return from.error();
  return page_reader{client_, options_, query, *from}.read();
}

result<std::vector<queue_depth>> redis_store::depths() {
  redis_group group{client_, options_};
  auto queues = read_counts(group);
  if (!queues)
    return queues.error();
  std::deque<std::string> texts;
  for (const auto& [name, depth] : *queues) {
    const auto& from = texts.emplace_back("[" + queue_prefix(name));
    const auto& to = texts.emplace_back("(" + queue_prefix(name) + "\xff");
    group.need({"ZRANGEBYLEX", name_of(redis_key::heads), from, to, "LIMIT",
                "0", most_lanes});
    const auto& parked = texts.emplace_back("[h" + queue_prefix(name));
    const auto& end = texts.emplace_back("(h" + queue_prefix(name) + "\xff");
    group.need({"ZRANGEBYLEX", name_of(redis_key::parked), parked, end, "LIMIT",
                "0", most_lanes});
  }
  if (auto read = group.read(); !read)
    return read.error();
  std::vector<queue_depth> depths;
  for (auto& [name, depth] : *queues) {
    const auto size = queue_prefix(name).size();
    const auto at = 2 * depths.size();
    auto first =
      first_ready(group.extra(at), size, group.now(), options_.ageing_ms);
    first =
      first_ready(group.extra(at + 1), 1 + size, first, options_.ageing_ms);
    depth.oldest_age_ms = group.now() - first;
    depths.push_back(std::move(depth));
  }
  return depths;
}

} // namespace troupe::store
