#include "actors/store/redis_reply.hpp"
#include "actors/store/redis_store.hpp"

#include <algorithm>
#include <deque>

/// What is ready, best first, and its leases.
namespace troupe::store {

namespace {

/// A member of `ready`.
struct candidate {
  std::string member;
  std::size_t lane_size = 0;

  [[nodiscard]] std::string_view rank() const {
    return std::string_view{member}.substr(lane_size, rank_size);
  }
  [[nodiscard]] std::string_view id() const {
    return std::string_view{member}.substr(lane_size + rank_size);
  }
};

/// Reads the best of a queue. The heads name the lanes; of each, as many jobs
/// are read as may be among the best.
class ready_reader {
public:
  ready_reader(redis_group& group, std::string_view queue, std::size_t max)
    : group_{group}, prefix_{queue_prefix(queue)}, max_{max} {
    // nop
  }

  /// To be read with what else the group needs.
  void need_heads() {
    need_range(redis_key::heads, prefix_, max_);
  }

  /// Takes the heads from the group's reply `at`.
  void take_heads(std::size_t at) {
    const auto& heads = group_.extra(at);
    for (std::size_t i = 0; i < size_of(heads); ++i) {
      const auto head = text_at(heads, i);
      if (head.size() > prefix_.size() + rank_size)
        lanes_.push_back(
          prefix_ + std::string{head.substr(prefix_.size() + rank_size)});
    }
  }

  result<std::vector<candidate>> best() {
    if (lanes_.empty())
      return std::vector<candidate>{};
    auto each = std::clamp<std::size_t>(2 * max_ / lanes_.size(),
                                        std::min<std::size_t>(max_, 8), max_);
    for (;; each = std::min(4 * each, max_)) {
      if (auto read = read_lanes(each); !read)
        return read.error();
      if (found_.size() >= max_ || !is_cut_)
        break;
    }
    if (found_.size() > max_)
      found_.resize(max_);
    return std::move(found_);
  }

private:
  void need_range(redis_key key, std::string_view prefix, std::size_t count) {
    const auto& from = texts_.emplace_back("[" + std::string{prefix});
    const auto& to = texts_.emplace_back("(" + std::string{prefix} + "\xff");
    const auto& most = texts_.emplace_back(std::to_string(count));
    group_.need({"ZRANGEBYLEX", name_of(key), from, to, "LIMIT", "0", most});
  }

  /// Reads the first `each` jobs of every lane into `found_`, up to where one
  /// that was cut may go on.
  result<void> read_lanes(std::size_t each) {
    for (const auto& lane : lanes_)
      need_range(redis_key::ready, lane, each);
    if (auto read = group_.read(); !read)
      return read;
    found_.clear();
    is_cut_ = false;
    std::string bound;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      const auto before = found_.size();
      take_lane(lanes_[i].size(), group_.extra(i));
      const auto rank = found_.empty() ? "" : found_.back().rank();
      if (each == max_ || found_.size() < before + each)
        continue;
      if (!is_cut_ || rank < bound)
        bound = rank;
      is_cut_ = true;
    }
    std::ranges::sort(found_, {}, &candidate::rank);
    if (is_cut_)
      std::erase_if(found_, [&](const auto& it) { return it.rank() > bound; });
    return {};
  }

  void take_lane(std::size_t lane_size, const redisReply& members) {
    for (std::size_t i = 0; i < size_of(members); ++i) {
      const auto member = text_at(members, i);
      if (member.size() > lane_size + rank_size)
        found_.push_back({std::string{member}, lane_size});
    }
  }

  redis_group& group_;
  std::string prefix_;
  std::size_t max_;
  std::deque<std::string> texts_; ///< they never move
  std::vector<std::string> lanes_;
  std::vector<candidate> found_;
  bool is_cut_ = false;
};

/// What a group of a claim has found.
struct claim_step {
  std::vector<job> jobs;
  bool due = false;  ///< jobs wait for their promotion; nothing was done
  bool more = false; ///< there may be more
};

void lease_all(const std::vector<candidate>& ready,
               const claim_request& request, redis_group& group,
               claim_step& out) {
  std::size_t bytes = 0;
  for (const auto& one : ready) {
    auto& it = group.at(one.id());
    auto& job = it.record.job;
    out.more = true;
    if (bytes > bytes_per_group)
      break;
    if (it.error != errc::none) {
      group.changes.touch(one.member.substr(0, one.lane_size));
      group.changes.remove(redis_key::ready, one.member);
    } else if (job.state == job_state::queued) {
      lease(job, request, group.now());
      group.changed(it, job_state::queued);
      out.jobs.push_back(job);
      bytes += it.bytes;
    }
  }
}

result<void> claim_once(const claim_request& request, bool promoted,
                        redis_group& group, claim_step& out) {
  out = {};
  ready_reader ready{group, request.queue,
                     std::min<std::size_t>(request.max, jobs_per_group)};
  group.need({"ZRANGE", name_of(redis_key::schedule), "0", "0", "WITHSCORES"});
  ready.need_heads();
  if (auto read = group.read(); !read)
    return read;
  const auto due = number_at(group.extra(0), 1);
  out.due = !promoted && due != 0 && due <= group.now();
  if (out.due)
    return {};
  ready.take_heads(1);
  const auto best = ready.best();
  if (!best)
    return best.error();
  for (const auto& one : *best)
    group.need_job(one.id());
  if (auto read = group.read(); !read)
    return read;
  lease_all(*best, request, group, out);
  return {};
}

} // namespace

result<void> redis_store::promote_due() {
  sweep_result done;
  std::size_t before = 0;
  do {
    before = done.queued.size();
    if (auto some = promote(jobs_per_group, done); !some)
      return some;
  } while (done.queued.size() < max_promote
           && done.queued.size() == before + jobs_per_group);
  return {};
}

result<std::vector<job>> redis_store::claim(const claim_request& request) {
  std::vector<job> claimed;
  bool promoted = false;
  auto rest = request;
  do {
    rest.max = request.max - static_cast<std::uint32_t>(claimed.size());
    claim_step got;
    const auto done = attempt([&](redis_group& group) {
      return claim_once(rest, promoted, group, got);
    });
    if (!done)
      return done.error();
    if (got.due) {
      if (auto some = promote_due(); !some)
        return some.error();
    } else if (!got.more) {
      break;
    }
    promoted = true;
    std::ranges::move(got.jobs, std::back_inserter(claimed));
  } while (claimed.size() < request.max);
  return claimed;
}

} // namespace troupe::store
