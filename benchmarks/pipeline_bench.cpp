#include "actors/system.hpp"

#include "config/metrics.hpp"
#include "media/workbench.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

/// Jobs that do nothing, from the gateway through queue, manager, stage and
/// job actor to their stored end; no HTTP. The attempts end at once, so what is
/// measured is the way there and back.
namespace {

using namespace troupe;

/// When the newest attempt began.
std::atomic<std::chrono::steady_clock::rep> begun = 0;

class instant_attempt final : public media::attempt {
public:
  explicit instant_attempt(std::shared_ptr<media::attempt_sink> sink)
    : sink_(std::move(sink)) {}
  void start() override {
    begun = std::chrono::steady_clock::now().time_since_epoch().count();
    begun.notify_one();
    sink_->on_done(media::finished{"{}", {}});
  }
  void cancel(media::errc) override {}

private:
  std::shared_ptr<media::attempt_sink> sink_;
};

/// A workbench whose jobs have ended as soon as they begin.
class instant_bench final : public media::workbench {
public:
  explicit instant_bench(std::unique_ptr<media::workbench> rest)
    : rest_(std::move(rest)) {}

  std::unique_ptr<media::attempt>
  make_attempt(media::attempt_task,
               std::shared_ptr<media::attempt_sink> sink) override {
    return std::make_unique<instant_attempt>(std::move(sink));
  }
  bool has_zygote() const override {
    return rest_->has_zygote();
  }
  void extract(std::string url, media::extract_done done) override {
    rest_->extract(std::move(url), std::move(done));
  }
  void post(media::callback_post what, media::callback_heard heard) override {
    rest_->post(std::move(what), std::move(heard));
  }
  media::image_service& images() override {
    return rest_->images();
  }
  media::stream_service& streams() override {
    return rest_->streams();
  }
  void on_file_thread(std::function<void()> work) override {
    rest_->on_file_thread(std::move(work));
  }

private:
  std::unique_ptr<media::workbench> rest_;
};

/// A node on a store of the given kind, in a folder of its own.
class bench_node {
public:
  explicit bench_node(const std::string& kind, std::uint32_t slots) {
    std::string name =
      (std::filesystem::temp_directory_path() / "troupe-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    settings_.data.dir = folder_;
    settings_.library.dir = folder_ / "library";
    settings_.store.url =
      kind == "sqlite" ? "sqlite:" + (folder_ / "queue.db").string() : kind;
    settings_.pools.bulk = settings_.pools.bulk_min = slots;
    settings_.log.level = "off";
    auto rest = media::workbench::open(
      settings_, metrics_, std::filesystem::read_symlink("/proc/self/exe"));
    if (!rest)
      std::abort();
    bench_.emplace(std::move(*rest));
    auto opened = actors::node::open(settings_, *bench_, metrics_);
    if (!opened)
      std::abort();
    it = std::move(*opened);
  }
  ~bench_node() {
    it.reset();
    bench_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// Submits `count` jobs with at most `window` unanswered; returns when all
  /// are answered.
  void submit(std::size_t count, std::size_t window, const std::string& queue) {
    std::atomic<std::size_t> answered = 0;
    for (std::size_t sent = 0; sent < count; ++sent) {
      for (auto seen = answered.load(); sent - seen >= window;
           seen = answered.load())
        answered.wait(seen);
      store::submit_op op;
      op.draft.type = "noop";
      op.draft.queue = queue;
      it->edge().submit(std::move(op), [&answered](auto said) {
        if (!said)
          std::abort();
        ++answered;
        answered.notify_one();
      });
    }
    for (auto seen = answered.load(); seen < count; seen = answered.load())
      answered.wait(seen);
  }

  /// Jobs of the bulk queue that have not ended.
  std::uint64_t open_jobs() {
    std::atomic<std::int64_t> open = -1;
    it->edge().depths([&open](auto depths) {
      std::int64_t sum = 0;
      if (depths)
        for (const auto& of : *depths)
          for (std::size_t s = 0; s < store::job_state_count; ++s)
            if (!store::is_terminal(static_cast<store::job_state>(s)))
              sum += static_cast<std::int64_t>(of.by_state[s]);
      open = depths ? sum : 1;
      open.notify_one();
    });
    open.wait(-1);
    return static_cast<std::uint64_t>(open.load());
  }

  std::unique_ptr<actors::node> it;

private:
  std::filesystem::path folder_;
  config::settings settings_;
  config::metrics metrics_;
  std::optional<instant_bench> bench_;
};

std::string store_of(const benchmark::State& state) {
  if (state.range(0) == 2)
    if (const char* url = std::getenv("TROUPE_BENCH_REDIS"))
      return url;
  return state.range(0) == 0 ? "memory:" : "sqlite";
}

constexpr std::size_t jobs = 20000;

/// Submits alone: nobody works on that queue.
void submits(benchmark::State& state) {
  bench_node node{store_of(state), 64};
  for (auto round : state)
    node.submit(jobs, 1024, "nobody");
  state.SetItemsProcessed(state.iterations() * jobs);
}

/// From the first submit to the stored end of the last job.
void end_to_end(benchmark::State& state) {
  bench_node node{store_of(state), static_cast<std::uint32_t>(state.range(1))};
  for (auto round : state) {
    node.submit(jobs, 1024, "bulk");
    while (node.open_jobs() > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  state.SetItemsProcessed(state.iterations() * jobs);
}

/// One job after the other, on a node that is idle: from its submit, and so
/// from before its claim, to the first word of its attempt.
void submit_to_begun(benchmark::State& state) {
  bench_node node{store_of(state), 64};
  std::vector<double> waits;
  for (auto round : state) {
    begun = 0;
    const auto from = std::chrono::steady_clock::now();
    node.submit(1, 1, "bulk");
    begun.wait(0);
    const std::chrono::steady_clock::time_point at{
      std::chrono::steady_clock::duration{begun.load()}};
    waits.push_back(
      std::chrono::duration<double, std::milli>{at - from}.count());
    state.SetIterationTime(waits.back() / 1000);
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  std::ranges::sort(waits);
  state.counters["p50_ms"] = waits[waits.size() / 2];
  state.counters["p99_ms"] = waits[waits.size() * 99 / 100];
}

BENCHMARK(submits)->ArgName("store")->Arg(0)->Arg(1)->UseRealTime()->Unit(
  benchmark::kMillisecond);
BENCHMARK(submit_to_begun)
  ->ArgName("store")
  ->Arg(0)
  ->Arg(1)
  ->UseManualTime()
  ->Iterations(2000)
  ->Unit(benchmark::kMillisecond);
BENCHMARK(end_to_end)
  ->ArgNames({"store", "slots"})
  ->Args({0, 64})
  ->Args({0, 256})
  ->Args({1, 64})
  ->Args({1, 256})
  ->UseRealTime()
  ->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
