#include "benchmarks/load/http_load.hpp"
#include "benchmarks/load/wire.hpp"
#include "benchmarks/load/ws_load.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include <cstdio>
#include <ctime>
#include <string>

namespace {

using namespace troupe::load;

/// Jobs of `queue` that stand in `state`, from `GET /v1/queues`.
std::int64_t depth(std::uint16_t port, const std::string& queue,
                   const char* state) {
  const auto body = boost::json::parse(fetch(port, "/v1/queues"));
  for (const auto& entry : body.at("queues").as_array())
    if (entry.at("name").as_string() == queue)
      return entry.at("depth").at(state).to_number<std::int64_t>();
  return 0;
}

void print(const char* name, post_outcome& outcome, double seconds) {
  print(name, outcome.latencies, outcome.jobs, seconds, outcome.errors);
}

int submit(const post_plan& plan) {
  auto outcome = run_posts(plan);
  print("submit", outcome, outcome.seconds);
  return outcome.errors == 0 ? 0 : 1;
}

class watch {
public:
  explicit watch(std::uint16_t port) : port_(port) {}

  /// Waits until so many more jobs have succeeded than before.
  /// @return seconds since `start`
  double wait_for(std::uint64_t jobs) const {
    const timespec pause{0, 5'000'000};
    while (depth(port_, "bulk", "succeeded") - before_
           < static_cast<std::int64_t>(jobs))
      ::nanosleep(&pause, nullptr);
    return std::chrono::duration<double>(clock::now() - started_).count();
  }

  void start() {
    started_ = clock::now();
  }

private:
  std::uint16_t port_;
  std::int64_t before_ = depth(port_, "bulk", "succeeded");
  clock::time_point started_ = clock::now();
};

/// Submits `plan.count` jobs and waits until all have ended.
int end_to_end(const post_plan& plan) {
  watch ends{plan.port};
  auto outcome = run_posts(plan);
  print("end_to_end", outcome, ends.wait_for(outcome.jobs));
  return outcome.errors == 0 ? 0 : 1;
}

/// Fills a paused queue, and measures how long it takes to be empty.
int drain(const post_plan& plan) {
  watch ends{plan.port};
  command(plan.port, "/v1/queues/bulk/pause");
  auto outcome = run_posts(plan);
  ends.start();
  command(plan.port, "/v1/queues/bulk/resume");
  print("drain", outcome, ends.wait_for(outcome.jobs));
  return outcome.errors == 0 ? 0 : 1;
}

int listen(const listen_plan& plan) {
  auto outcome = run_listeners(plan);
  print("listen", outcome.latencies, outcome.latencies.count(), outcome.seconds,
        outcome.closed);
  return outcome.closed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Load for a Troupe server on 127.0.0.1; one JSON line out."};
  app.require_subcommand(1);
  post_plan posts;
  listen_plan listeners;
  auto* submits = app.add_subcommand("submit", "POST jobs");
  auto* ends = app.add_subcommand("jobs", "POST jobs, wait for their end");
  auto* drains = app.add_subcommand("drain", "fill a paused queue, resume it");
  for (auto* command : {submits, ends, drains}) {
    command->add_option("--port", posts.port)->required();
    command->add_option("--target", posts.target);
    command->add_option("--body", posts.body);
    command->add_option("--connections", posts.connections);
    command->add_option("--seconds", posts.seconds);
    command->add_option("--rate", posts.rate);
    command->add_option("--count", posts.count);
    command->add_option("--batch", posts.batch);
  }
  auto* listens = app.add_subcommand("listen", "WebSocket clients");
  listens->add_option("--port", listeners.port)->required();
  listens->add_option("--target", listeners.target);
  listens->add_option("--topic", listeners.topic);
  listens->add_option("--clients", listeners.clients);
  listens->add_option("--seconds", listeners.seconds);
  CLI11_PARSE(app, argc, argv);
  if (submits->parsed())
    return submit(posts);
  if (drains->parsed())
    return drain(posts);
  return ends->parsed() ? end_to_end(posts) : listen(listeners);
}
