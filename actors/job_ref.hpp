#pragma once

#include "actors/store/job.hpp"

#include <memory>
#include <utility>

namespace troupe::actors {

/// A job as it was stored at one time, shared by all who are told of it: a job
/// is large, and an event, an answer and a lease tell of the same one.
/// Invariant: there is one, and it never changes.
class job_ref {
public:
  job_ref() : it_{nobody()} {}
  job_ref(store::job it)
    : it_{std::make_shared<const store::job>(std::move(it))} {}

  const store::job& operator*() const noexcept {
    return *it_;
  }
  const store::job* operator->() const noexcept {
    return it_.get();
  }

private:
  static const std::shared_ptr<const store::job>& nobody() {
    static const auto empty = std::make_shared<const store::job>();
    return empty;
  }

  std::shared_ptr<const store::job> it_;
};

} // namespace troupe::actors
