#include "actors/store/follow.hpp"

#include "actors/store/batches.hpp"
#include "actors/store/dependants.hpp"
#include "actors/store/schedules.hpp"
#include "actors/store/stream_record.hpp"

#include <algorithm>
#include <iterator>

namespace troupe::store {

namespace {

/// Records that one step looks at.
constexpr std::size_t records_at_once = 32;
/// Jobs that one step changes, more or less: it is one transaction.
constexpr std::size_t jobs_at_once = 200;

class follower {
public:
  follower(transaction& in, const store_options& options, std::size_t max,
           follow_result& out)
    : in_{in}, options_{options}, most_{std::min(max, jobs_at_once)}, out_{
                                                                        out} {
    // nop
  }

  void run() {
    auto names = in_.due(due_lane::follow, records_at_once);
    out_.now = in_.now();
    // What is counted must not have been changed by this step.
    std::ranges::stable_partition(names, [](const record_name& name) {
      return name.kind == record_kind::progress;
    });
    in_.prefetch(names);
    prefetch_jobs(names);
    for (const auto& name : names) {
      if (out_.changed.size() >= most_) {
        out_.more = true;
        return;
      }
      follow(name);
    }
    out_.more = out_.more || names.size() == records_at_once;
  }

private:
  void prefetch_jobs(const std::vector<record_name>& names) {
    std::vector<std::string> ids;
    for (const auto& [kind, key] : names)
      if (kind == record_kind::release || kind == record_kind::unhold)
        ids.push_back(key);
    in_.prefetch(ids);
  }

  void follow(const record_name& name) {
    const auto& [kind, key] = name;
    if (!in_.read(kind, key)) {
      in_.remove(kind, key);
      return;
    }
    switch (kind) {
    case record_kind::release: {
      const auto most = most_ - out_.changed.size();
      if (release_some(key, most, out_.changed, in_) == most)
        out_.more = true;
      return;
    }
    case record_kind::unhold:
      return unhold(key, in_);
    case record_kind::batch:
      out_.more = true;
      return follow_batch(key, options_.retention_ms, out_.changed, in_);
    case record_kind::progress:
      if (auto it = follow_progress(key, options_.retention_ms, in_))
        out_.batches.push_back(std::move(*it));
      return;
    case record_kind::schedule:
      return fire_schedule(key, out_.changed, in_);
    case record_kind::stream:
      return expire_stream(key, in_);
    case record_kind::staged:
    case record_kind::callback:
    case record_kind::log:
      return; // never due here
    }
  }

  transaction& in_;
  const store_options& options_;
  std::size_t most_;
  follow_result& out_;
};

} // namespace

void follow_step(transaction& in, const store_options& options, std::size_t max,
                 follow_result& out) {
  out = {};
  follower{in, options, max, out}.run();
  // What ended by this may be awaited itself.
  out.more = out.more || in.follow;
}

void take_in(follow_result followed, sweep_result& out) {
  std::ranges::move(followed.changed, std::back_inserter(out.changed));
  std::ranges::move(followed.batches, std::back_inserter(out.batches));
  out.more = out.more || followed.more;
}

} // namespace troupe::store
