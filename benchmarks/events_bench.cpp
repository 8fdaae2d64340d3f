#include "actors/event_log.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

namespace troupe::actors {
namespace {

using clock = std::chrono::steady_clock;

moment now() {
  return {clock::now(), 1700000000000};
}

/// A job as a download leaves it in the store, about.
store::job sample(std::size_t number) {
  store::job made;
  made.id = "01J8ZQ4W3N" + std::to_string(1000000000 + number);
  made.type = made.queue = "download";
  made.params = R"({"url":"https://media.example.org/watch?v=)"
                + std::to_string(number) + R"(","quality":"1080p"})";
  made.concurrency_key = "host:media.example.org";
  made.tags = {"nightly"};
  made.node = "head-1";
  made.fence.epoch = 1;
  return made;
}

struct step {
  job_event_type type;
  store::job_state state;
};

constexpr step life[] = {
  {job_event_type::created, store::job_state::queued},
  {job_event_type::started, store::job_state::running},
  {job_event_type::succeeded, store::job_state::succeeded},
};

/// Whole lives of jobs, three events each, with so many listeners of `jobs`.
void add_state_events(benchmark::State& state) {
  event_log log{config::event_settings{}, "bench"};
  for (int i = 0; i < state.range(0); ++i)
    (void)log.listen({"jobs", "", 0});
  std::size_t number = 0;
  for (auto _ : state) {
    ++number;
    for (const auto& at : life) {
      auto job = sample(number);
      job.state = at.state;
      log.add({at.type, 1700000000000, std::move(job)}, now());
    }
    benchmark::DoNotOptimize(log.take_fresh());
  }
  state.SetItemsProcessed(state.iterations() * 3);
  state.counters["log_bytes"] = static_cast<double>(log.figures().log_bytes);
}
BENCHMARK(add_state_events)->ArgName("listeners")->Arg(0)->Arg(1);

/// What the other benchmark spends on making its events.
void make_sample(benchmark::State& state) {
  std::size_t number = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(sample(++number));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(make_sample);

/// Reports of 1,000 running jobs, far more often than they are let through.
void report_progress(benchmark::State& state) {
  event_log log{config::event_settings{}, "bench"};
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < 1000; ++i)
    ids.push_back(sample(i).id);
  std::int64_t done = 0;
  for (auto _ : state) {
    progress_report report{
      ids[static_cast<std::size_t>(done) % ids.size()], "download", 1, {}};
    report.now.done = ++done;
    log.report(std::move(report), now());
    if (done % 1000 == 0)
      log.tick(now());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(report_progress);

/// A client that comes back and has missed so many events.
void replay(benchmark::State& state) {
  event_log log{config::event_settings{}, "bench"};
  const auto from = log.listen({"jobs", "", 0}).offset;
  for (std::size_t i = 0; i < 5000; ++i)
    log.add({job_event_type::created, 1700000000000, sample(i)}, now());
  (void)log.take_fresh();
  for (auto _ : state) {
    const auto at = from + 5000 - static_cast<std::uint64_t>(state.range(0));
    benchmark::DoNotOptimize(log.listen({"jobs", "bench", at}));
    log.unlisten("jobs", now());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(replay)->ArgName("missed")->Arg(50)->Arg(1000);

} // namespace
} // namespace troupe::actors

BENCHMARK_MAIN();
