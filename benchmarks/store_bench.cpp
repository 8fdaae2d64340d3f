#include "actors/store/job_store.hpp"
#include "actors/store/ulid.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

/// What one thread gets out of a store: groups of submits, and whole lives of
/// jobs. TROUPE_BENCH_STORE names another store than an SQLite file in a
/// temporary folder, such as redis://127.0.0.1:6379/9 (it is filled).
namespace troupe::store {
namespace {

using clock = std::chrono::steady_clock;

/// An SQLite file of its own, or the store that the environment names.
class scratch_store {
public:
  scratch_store() {
    store_options options;
    if (const char* url = std::getenv("TROUPE_BENCH_STORE")) {
      options.url = url;
    } else {
      auto name =
        (std::filesystem::temp_directory_path() / "troupe-bench-XXXXXX")
          .string();
      if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("no temporary folder");
      folder_ = name;
      options.url = "sqlite:" + name + "/jobs.db";
    }
    auto opened = open_store(options);
    if (!opened)
      throw std::runtime_error(opened.error().message());
    store_ = std::move(*opened);
  }

  ~scratch_store() {
    store_.reset();
    if (!folder_.empty())
      std::filesystem::remove_all(folder_);
  }

  job_store& operator*() {
    return *store_;
  }

  void submit(std::size_t count) {
    std::vector<operation> group;
    for (std::size_t i = 0; i < count; ++i)
      group.emplace_back(submit_op{draft(), {}});
    if (!(*store_).apply(group))
      throw std::runtime_error("submit failed");
  }

  std::vector<job> claim(std::size_t count) {
    claim_request request;
    request.queue = "download";
    request.node = "node-1";
    request.nonce = ++nonce_;
    request.max = static_cast<std::uint32_t>(count);
    auto leased = store_->claim(request);
    if (!leased || leased->jobs.size() != count)
      throw std::runtime_error("claim failed");
    return std::move(leased->jobs);
  }

  void succeed(const std::vector<job>& leased) {
    std::vector<operation> group;
    for (const auto& it : leased)
      group.emplace_back(succeed_op{it.id, it.fence, R"({"size":1})"});
    if (!store_->apply(group))
      throw std::runtime_error("succeed failed");
  }

private:
  job_draft draft() {
    job_draft made;
    made.id = ids_.mint(1'700'000'000'000 + std::int64_t(++made_ / 100));
    made.type = made.queue = "download";
    made.params =
      R"({"url":"https://example.com/watch?v=dQw4w9WgXcQ","quality":"best"})";
    made.concurrency_key = "host-" + std::to_string(made_ % 50);
    return made;
  }

  std::filesystem::path folder_;
  std::unique_ptr<job_store> store_;
  ulid_minter ids_;
  std::uint64_t made_ = 0;
  std::uint64_t nonce_ = 0;
};

/// The p99 of calls, in milliseconds.
class latencies {
public:
  template <class Call>
  void measure(Call call) {
    const auto start = clock::now();
    call();
    times_.push_back(
      std::chrono::duration<double, std::milli>(clock::now() - start).count());
  }

  double p99() {
    if (times_.empty())
      return 0;
    std::ranges::sort(times_);
    return times_[times_.size() * 99 / 100];
  }

private:
  std::vector<double> times_;
};

void submit_groups(benchmark::State& state) {
  scratch_store store;
  const auto group = static_cast<std::size_t>(state.range(0));
  for (auto _ : state)
    store.submit(group);
  state.SetItemsProcessed(std::int64_t(state.iterations() * group));
}

void claim_and_succeed(benchmark::State& state) {
  scratch_store store;
  const auto group = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    store.submit(group);
    state.ResumeTiming();
    store.succeed(store.claim(group));
  }
  state.SetItemsProcessed(std::int64_t(state.iterations() * group));
}

/// Lives of jobs beside many that wait: the p99s are to stay flat.
void beside_waiting_jobs(benchmark::State& state) {
  scratch_store store;
  constexpr std::size_t group = 100;
  for (std::int64_t filled = 0; filled < state.range(0); filled += 1000)
    store.submit(1000);
  latencies submits;
  latencies claims;
  for (auto _ : state) {
    std::vector<job> leased;
    submits.measure([&] { store.submit(group); });
    claims.measure([&] { leased = store.claim(group); });
    store.succeed(leased);
  }
  state.SetItemsProcessed(std::int64_t(state.iterations() * group));
  state.counters["submit_p99_ms"] = submits.p99();
  state.counters["claim_p99_ms"] = claims.p99();
}

BENCHMARK(submit_groups)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(claim_and_succeed)->Arg(1)->Arg(100)->Arg(1000);
BENCHMARK(beside_waiting_jobs)
  ->Arg(1000)
  ->Arg(1000000)
  ->Iterations(500)
  ->Unit(benchmark::kMillisecond);

} // namespace
} // namespace troupe::store

BENCHMARK_MAIN();
