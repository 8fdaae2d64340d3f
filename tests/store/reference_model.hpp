#pragma once

#include "actors/store/job_store.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::store::testing {

/// What anybody can see of a job, without times.
struct seen_job {
  std::string id;
  job_state state = job_state::queued;
  std::uint32_t attempt = 0;
  std::uint32_t losses = 0;
  std::uint64_t revision = 0;
  struct fence fence;
  bool publishing = false;
  bool pausing = false;
  std::size_t errors = 0;
  std::string checkpoint;

  auto operator<=>(const seen_job& other) const {
    return id <=> other.id;
  }
  bool operator==(const seen_job&) const = default;
};

[[nodiscard]] seen_job seen(const job& it);

/// What an operation answered.
struct seen_answer {
  errc error = errc::none;
  bool changed = false;
  bool replayed = false;
  seen_job job;

  bool operator==(const seen_answer&) const = default;
};

inline seen_answer answer(errc error, bool changed = false,
                          bool replayed = false, seen_job job = {}) {
  return {error, changed, replayed, std::move(job)};
}

/// The rules of the store once more, as naively as they can be written: jobs
/// in a map, everything found by looking at all of them. It shares no code
/// with any store. Time is a pair: what the test advanced by, then the number
/// of the call, which stands for the time that really went by. Rates are below
/// one in a second, so that a bucket holds one token.
class reference_model {
public:
  using instant = std::pair<std::int64_t, std::int64_t>;

  explicit reference_model(std::int64_t lease_ms) : lease_{lease_ms} {}

  /// A new call of the store, after `ms` more.
  void advance(std::int64_t ms) {
    now_ = {now_.first + ms, now_.second + 1};
  }

  seen_answer apply(const operation& op);
  std::vector<seen_job> claim(const claim_request& request);
  std::vector<errc> renew(const std::vector<held_lease>& leases);
  /// Ids of what became queued, expired and is rolled forward.
  using swept = std::array<std::set<std::string>, 3>;
  swept sweep(const sweep_request& request);
  swept adopt(const sweep_request& request);
  [[nodiscard]] std::vector<seen_job> all_newest_first() const;

private:
  struct entry : seen_job {
    job_draft draft;
    int seq = 0;
    instant created;
    instant ready;
    std::int64_t lease_until = 0;
    std::string node;
    bool leased = false;
    bool free = false; ///< its newest attempt costs nothing
  };

  /// Limits of a queue or a key; `next` is when its rate lets one through.
  struct flow {
    bool paused = false;
    std::uint32_t concurrency = 0;
    double rate = 0;
    std::uint32_t each_key = 0;
    std::int64_t next = 0;
  };

  seen_answer put(const put_queue_op& op);
  seen_answer put(const put_limit_op& op);
  [[nodiscard]] bool lets_through(const entry& it);
  seen_answer submit(const submit_op& op);
  seen_answer withdraw(const withdraw_op& op);
  seen_answer add(const job_draft& draft);
  seen_answer outcome(entry& it, const succeed_op& op);
  seen_answer outcome(entry& it, const fail_op& op);
  seen_answer outcome(entry& it, const commit_op& op);
  seen_answer outcome(entry& it, const release_op& op);
  seen_answer outcome(entry& it, const checkpoint_op& op);
  seen_answer outcome(entry& it, const cancel_op& op);
  seen_answer outcome(entry& it, const retry_op& op);
  seen_answer outcome(entry& it, const purge_op& op);
  seen_answer outcome(entry& it, const pause_op& op);
  seen_answer outcome(entry& it, const resume_op& op);
  seen_answer ended(const entry& it, const fence& proof);
  entry* holder(const std::string& key);
  void end(entry& it, job_state state);
  void give_back(entry& it);
  void lose(entry& it);
  void promote(std::set<std::string>& into);
  entry* best(const std::string& queue);
  static seen_answer changed(const entry& it);

  std::map<std::string, entry> jobs_;
  std::map<std::string, flow> queues_;
  std::map<std::string, flow> keys_;
  std::map<std::string, std::pair<std::string, seen_job>> answers_;
  instant now_{0, 0};
  std::int64_t lease_;
  std::int64_t alive_ = -1'000'000'000;
  std::int64_t grace_ = 0;
  int seq_ = 0;
};

} // namespace troupe::store::testing
