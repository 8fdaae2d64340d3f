#include "actors/store/redis_store.hpp"
#include "actors/store/ulid.hpp"
#include "tests/store/redis_server.hpp"

#include <benchmark/benchmark.h>

#include <stdexcept>
#include <vector>

/// One connection to a real redis-server (AOF everysec, Unix socket), groups
/// of equal operations: what the store itself can do, without actors and HTTP.
namespace troupe::store {

namespace {

template <class T>
T must(result<T> outcome) {
  if (!outcome)
    throw std::runtime_error(outcome.error().message());
  return std::move(*outcome);
}

class bench_store {
public:
  explicit bench_store(std::size_t group) : group_{group} {
    store_options options;
    options.url = server_.url();
    options.timeout_ms = 5000;
    store_ = must(open_redis_store(options));
  }

  std::size_t submit() {
    std::vector<operation> ops;
    for (std::size_t i = 0; i < group_; ++i) {
      job_draft draft;
      draft.id = ids_.mint(1'700'000'000'000);
      draft.type = "noop";
      draft.queue = "bulk";
      draft.params = R"({"sleep_ms":0})";
      ops.emplace_back(submit_op{std::move(draft), {}});
    }
    return must(store_->apply(ops)).size();
  }

  std::vector<job> claim() {
    claim_request request;
    request.queue = "bulk";
    request.node = "node-1";
    request.nonce = 7;
    request.max = static_cast<std::uint32_t>(group_);
    return must(store_->claim(request)).jobs;
  }

  std::size_t succeed(const std::vector<job>& jobs) {
    std::vector<operation> ops;
    for (const auto& it : jobs)
      ops.emplace_back(succeed_op{it.id, it.fence, "{}"});
    return must(store_->apply(ops)).size();
  }

private:
  std::size_t group_;
  testing::redis_server server_;
  std::unique_ptr<job_store> store_;
  ulid_minter ids_;
};

/// Jobs from submit to success.
void BM_RedisJobs(benchmark::State& state) {
  const auto group = static_cast<std::size_t>(state.range(0));
  bench_store store{group};
  for (auto _ : state) {
    store.submit();
    const auto jobs = store.claim();
    if (jobs.size() != group || store.succeed(jobs) != group)
      throw std::runtime_error("jobs are missing");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_RedisJobs)->Arg(1)->Arg(16)->Arg(128)->Arg(256)->UseRealTime();

void BM_RedisSubmits(benchmark::State& state) {
  bench_store store{static_cast<std::size_t>(state.range(0))};
  for (auto _ : state)
    store.submit();
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_RedisSubmits)->Arg(1)->Arg(128)->UseRealTime();

} // namespace

} // namespace troupe::store

BENCHMARK_MAIN();
