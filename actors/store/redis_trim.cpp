#include "actors/store/dependants.hpp"
#include "actors/store/redis_reply.hpp"
#include "actors/store/redis_store.hpp"

#include <algorithm>
#include <set>

/// What retention forgets: jobs that ended long ago, then what is too many,
/// and answers that nobody may ask for any more.
namespace troupe::store {

namespace {

/// Succeeded, cancelled, failed: in this order jobs are forgotten.
constexpr std::size_t classes = 3;

/// One step. Each look goes on where the one before ended, so that what is
/// kept for others does not hide what comes after it.
class trimmer {
public:
  trimmer(redis_group& group, const redis_trim_places& from, std::size_t most)
    : next{from}, group_{group}, all_{most}, left_{most} {
    // nop
  }

  /// Reads what may be forgotten: of each class what ended before `until`,
  /// and the first of all; and drops the answers that are due.
  result<void> look(timestamp_ms until);
  result<void> forget_old();
  /// So that `keep` jobs stay.
  result<void> forget_surplus(std::int64_t keep);

  redis_trim_places next;
  bool more = false; ///< another look at once may find more

private:
  /// Looks at up to `most` of a window. @return how many are gone
  result<std::size_t> forget(std::size_t window, std::size_t most);
  bool forget_one(std::string_view member);
  void forget_answers(const redisReply& scopes);

  redis_group& group_;
  const std::size_t all_; ///< that a window holds at most
  std::size_t left_;      ///< jobs that may be looked at
  std::int64_t there_ = 0;
  std::array<std::vector<std::string>, classes + 1> windows_;
  std::set<std::string_view> seen_;
};

result<void> trimmer::look(timestamp_ms until) {
  const auto finished = name_of(redis_key::finished);
  const auto count = std::to_string(left_);
  const auto now = std::to_string(group_.now());
  const auto edge =
    ordered(static_cast<std::uint64_t>(std::max<timestamp_ms>(0, until)));
  std::array<std::string, classes + 1> from, to;
  for (std::size_t i = 0; i <= classes; ++i) {
    const auto digit = static_cast<char>('0' + i);
    from[i] = next[i].empty() ? std::string{'[', digit} : next[i];
    to[i] = std::string{'(', digit} + edge;
  }
  if (next[classes].empty())
    from[classes] = "[0";
  to[classes] = "(3";
  for (std::size_t i = 0; i <= classes; ++i)
    group_.need({"ZRANGEBYLEX", finished, from[i], to[i], "LIMIT", "0", count});
  group_.need({"ZLEXCOUNT", finished, "[0", "(3"});
  group_.need({"ZRANGEBYSCORE", name_of(redis_key::forget), "-inf", now,
               "LIMIT", "0", count});
  if (auto read = group_.read(); !read)
    return read;
  for (std::size_t i = 0; i <= classes; ++i)
    for (std::size_t k = 0; k < size_of(group_.extra(i)); ++k)
      windows_[i].emplace_back(text_at(group_.extra(i), k));
  there_ = number_of(group_.extra(classes + 1));
  forget_answers(group_.extra(classes + 2));
  return {};
}

void trimmer::forget_answers(const redisReply& scopes) {
  for (std::size_t i = 0; i < size_of(scopes); ++i) {
    group_.changes.remove(redis_key::forget, std::string{text_at(scopes, i)});
    group_.changes.remove(redis_key::answers, std::string{text_at(scopes, i)});
  }
  more = more || size_of(scopes) == left_;
}

result<void> trimmer::forget_old() {
  for (std::size_t i = 0; i < classes; ++i) {
    const auto gone = forget(i, left_);
    if (!gone)
      return gone.error();
    more = more || (*gone > 0 && left_ == 0);
  }
  return {};
}

result<void> trimmer::forget_surplus(std::int64_t keep) {
  const auto surplus = std::max<std::int64_t>(there_ - keep, 0);
  const auto wanted = static_cast<std::size_t>(surplus);
  const auto gone = forget(classes, std::min(left_, wanted));
  if (!gone)
    return gone.error();
  more = more || (*gone > 0 && *gone < wanted);
  // The next look begins with those that are to go first again.
  if (*gone >= wanted)
    next[classes].clear();
  return {};
}

result<std::size_t> trimmer::forget(std::size_t window, std::size_t most) {
  const auto& members = windows_[window];
  std::vector<std::string_view> chosen;
  std::size_t end = 0;
  for (; end < members.size() && chosen.size() < most; ++end)
    if (seen_.insert(members[end]).second)
      chosen.push_back(members[end]);
  for (const auto member : chosen)
    group_.need_job(member.substr(finished_prefix_size));
  if (auto read = group_.read(); !read)
    return read.error();
  std::size_t gone = 0;
  for (const auto member : chosen)
    gone += forget_one(member) ? 1 : 0;
  if (end == members.size() && end < all_)
    next[window].clear();
  else if (end > 0)
    next[window] = '(' + members[end - 1];
  left_ -= chosen.size();
  there_ -= static_cast<std::int64_t>(gone);
  return gone;
}

/// @return false for what is kept
bool trimmer::forget_one(std::string_view member) {
  auto& it = group_.at(member.substr(finished_prefix_size));
  const auto& job = it.record.job;
  if (it.error != errc::none) {
    group_.changes.remove(redis_key::finished, std::string{member});
    return true;
  }
  if (!is_terminal(job.state) || is_kept(job, group_))
    return false;
  forget_job(job, group_);
  return true;
}

} // namespace

result<void> redis_store::trim(bool short_of_memory, std::size_t most,
                               sweep_result& out) {
  const auto keep =
    short_of_memory ? 0 : static_cast<std::int64_t>(options_.retention_count);
  redis_trim_places next;
  bool more = false;
  auto done = attempt([&](redis_group& group) -> result<void> {
    if (auto read = group.read(); !read)
      return read;
    trimmer window{group, trim_from_, most};
    auto looked = window.look(group.now() - options_.retention_ms);
    if (looked)
      looked = window.forget_old();
    if (looked)
      looked = window.forget_surplus(keep);
    next = std::move(window.next);
    more = window.more;
    return looked;
  });
  if (!done)
    return done;
  trim_from_ = std::move(next);
  out.more = out.more || more;
  return {};
}

} // namespace troupe::store
