#pragma once

#include "actors/store/redis_store.hpp"
#include "tests/store/must.hpp"
#include "tests/store/redis_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace troupe::store::testing {

inline void must(const result<void>& done) {
  if (!done)
    throw std::runtime_error(done.error().message());
}

/// A Redis of its own, whose clock can be set ahead, and what a server does.
class RedisTest : public ::testing::Test {
protected:
  RedisTest() {
    options_.url = server_.url();
    options_.clock_offset_ms = [this] {
      return offset_.load();
    };
  }

  std::unique_ptr<job_store> open() {
    return must(open_redis_store(options_));
  }

  static job_draft draft(const std::string& id) {
    job_draft made;
    made.id = id;
    made.type = made.queue = "bulk";
    return made;
  }

  static applied apply(job_store& store, operation op) {
    return std::move(must(store.apply({&op, 1})).at(0));
  }

  static std::vector<job> claim(job_store& store, std::uint32_t max) {
    claim_request request;
    request.queue = "bulk";
    request.node = "node";
    request.nonce = 7;
    request.max = max;
    return must(store.claim(request)).jobs;
  }

  static follow_result follow(job_store& store) {
    follow_result all;
    for (bool more = true; more;) {
      auto step = must(store.follow({"node", 1, 15000, 256}));
      more = step.more;
      std::ranges::move(step.changed, std::back_inserter(all.changed));
      std::ranges::move(step.batches, std::back_inserter(all.batches));
    }
    return all;
  }

  redis_server server_;
  std::atomic<std::int64_t> offset_ = 0;
  store_options options_;
};

} // namespace troupe::store::testing
