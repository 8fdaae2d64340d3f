#include "actors/store/job_store.hpp"
#include "actors/store/ulid.hpp"
#include "tests/store/redis_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

/// What a store costs beside very many jobs:
///
///     scale_bench sqlite|redis [JOBS]
///
/// One submit, one claim and pages of 20 beside 100 queued jobs and beside JOBS
/// (1,000,000), memory of each job, and how long another host's job waits while
/// 100,000 jobs of one host that is at its limit stand before it. `redis`
/// starts a server of its own (AOF, every second); `sqlite` uses a file in the
/// temporary folder.
namespace troupe::store {
namespace {

using clock = std::chrono::steady_clock;

template <class T>
T must(result<T> outcome) {
  if (!outcome)
    throw std::runtime_error(outcome.error().message());
  return std::move(*outcome);
}

/// Where the jobs lie: a file, or a server of our own.
class place {
public:
  explicit place(bool redis) {
    if (redis) {
      server_ = std::make_unique<testing::redis_server>();
      options_.url = server_->url();
      return;
    }
    auto name =
      (std::filesystem::temp_directory_path() / "troupe-scale-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("no temporary folder");
    folder_ = name;
    options_.url = "sqlite:" + name + "/jobs.db";
  }

  ~place() {
    if (!folder_.empty())
      std::filesystem::remove_all(folder_);
  }

  place(const place&) = delete;
  place& operator=(const place&) = delete;

  std::unique_ptr<job_store> open() {
    return must(open_store(options_));
  }

  /// Redis: `used_memory`; SQLite: bytes of its files.
  [[nodiscard]] double bytes() const {
    if (server_) {
      const auto info = server_->command({"INFO", "memory"});
      const auto at = info.find("used_memory:");
      return std::stod(info.substr(at + 12));
    }
    double sum = 0;
    for (const auto& it : std::filesystem::directory_iterator{folder_})
      sum += static_cast<double>(it.file_size());
    return sum;
  }

private:
  store_options options_;
  std::unique_ptr<testing::redis_server> server_;
  std::filesystem::path folder_;
};

double resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  double all = 0, resident = 0;
  in >> all >> resident;
  return resident * 4096;
}

struct latency {
  double p50 = 0, p99 = 0;
};

latency of(std::vector<double> times) {
  std::ranges::sort(times);
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

template <class Call>
double timed_ms(Call call) {
  const auto begun = clock::now();
  call();
  return std::chrono::duration<double, std::milli>(clock::now() - begun)
    .count();
}

class run {
public:
  explicit run(job_store& store) : store_{store} {}

  void submit(const std::string& key, std::size_t count) {
    while (count > 0) {
      std::vector<operation> ops;
      for (; count > 0 && ops.size() < 1000; --count)
        ops.emplace_back(submit_op{draft(key), {}});
      must(store_.apply(ops));
    }
  }

  std::vector<job> claim(std::uint32_t max) {
    return must(store_.claim({"download", "node", 7, max, 3'600'000})).jobs;
  }

  void succeed(const std::vector<job>& jobs) {
    std::vector<operation> ops;
    for (const auto& it : jobs)
      ops.emplace_back(succeed_op{it.id, it.fence, "{}"});
    must(store_.apply(ops));
  }

  /// Of one submit, one claim, a page of the newest, one of what waits.
  std::vector<latency> measure() {
    constexpr int rounds = 1000;
    std::vector<std::vector<double>> times(4);
    for (int i = 0; i < rounds; ++i) {
      times[0].push_back(timed_ms([&] { submit(host(), 1); }));
      std::vector<job> jobs;
      times[1].push_back(timed_ms([&] { jobs = claim(1); }));
      succeed(jobs);
      list_query query;
      query.page_size = 20;
      times[2].push_back(timed_ms([&] { must(store_.list(query)); }));
      query.state = job_state::queued;
      times[3].push_back(timed_ms([&] { must(store_.list(query)); }));
    }
    std::vector<latency> found;
    for (const auto& each : times)
      found.push_back(of(each));
    return found;
  }

  std::string host() {
    return "host-" + std::to_string(made_ % 50);
  }

private:
  job_draft draft(const std::string& key) {
    job_draft made;
    made.id = ids_.mint(1'700'000'000'000 + std::int64_t(++made_ / 100));
    made.type = made.queue = "download";
    made.params =
      R"({"url":"https://example.com/watch?v=dQw4w9WgXcQ","quality":"best"})";
    made.concurrency_key = key;
    return made;
  }

  job_store& store_;
  ulid_minter ids_;
  std::uint64_t made_ = 0;
};

void beside_many(bool redis, std::size_t jobs) {
  place at{redis};
  auto store = at.open();
  run one{*store};
  one.submit(one.host(), 100);      // a page to list
  static_cast<void>(one.measure()); // tables and caches are made
  const auto few = one.measure();
  const auto bytes = at.bytes();
  const auto resident = resident_bytes();
  const auto fill_s = timed_ms([&] {
                        for (std::size_t i = 0; i < jobs; i += 1000)
                          one.submit(one.host(), 1000);
                      })
                      / 1000;
  const auto each = (at.bytes() - bytes) / static_cast<double>(jobs);
  const auto ours = (resident_bytes() - resident) / static_cast<double>(jobs);
  const auto many = one.measure();
  std::printf("filled %zu jobs at %.0f/s\n", jobs, double(jobs) / fill_s);
  const char* names[] = {"submit", "claim", "list newest", "list queued"};
  for (std::size_t i = 0; i < few.size(); ++i)
    std::printf("%-12s p50 %.3f, p99 %.3f ms few; %.3f, %.3f ms many: x%.2f,"
                " x%.2f\n",
                names[i], few[i].p50, few[i].p99, many[i].p50, many[i].p99,
                many[i].p50 / few[i].p50, many[i].p99 / few[i].p99);
  std::printf("bytes per queued job: %.0f %s, %.1f in this process\n", each,
              redis ? "in Redis" : "in the file", ours);
}

void beside_saturated_host(bool redis) {
  place at{redis};
  auto store = at.open();
  run one{*store};
  must(store->apply(std::vector<operation>{put_limit_op{"busy", 2, 0}}));
  one.submit("busy", 100'000);
  if (one.claim(10).size() != 2)
    throw std::runtime_error("the host is not limited");
  std::vector<double> times;
  for (int i = 0; i < 500; ++i) {
    std::vector<job> jobs;
    times.push_back(timed_ms([&] {
      one.submit("other", 1);
      jobs = one.claim(4);
    }));
    if (jobs.size() != 1 || jobs[0].concurrency_key != "other")
      throw std::runtime_error("another job was claimed");
    one.succeed(jobs);
  }
  const auto took = of(times);
  std::printf("another host's job, submitted and claimed: p50 %.3f, p99 %.3f"
              " ms\n",
              took.p50, took.p99);
}

} // namespace
} // namespace troupe::store

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  if (kind != "sqlite" && kind != "redis") {
    std::fprintf(stderr, "scale_bench sqlite|redis [JOBS]\n");
    return 2;
  }
  const std::size_t jobs =
    argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1'000'000;
  troupe::store::beside_many(kind == "redis", jobs);
  troupe::store::beside_saturated_host(kind == "redis");
  return 0;
}
