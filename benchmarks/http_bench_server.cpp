/// The HTTP edge alone: a server whose actors are one thread that answers
/// every submit with a job. For wrk; see README.md. Runs until its input ends.
/// Usage: http_bench_server [PORT]

#include "net/server.hpp"

#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::net {

namespace {

/// Answers from another thread, as the actors do; takes what has gathered.
class bench_gateway final : public actors::gateway {
public:
  void submit(store::submit_op op,
              actors::reply_to<actors::submit_reply> reply) override {
    std::lock_guard lock{mutex_};
    waiting_.push_back({std::move(op), std::move(reply)});
    if (waiting_.size() == 1)
      changed_.notify_one();
  }
  void command(actors::job_command_kind, std::string,
               actors::reply_to<store::job> reply) override {
    reply(fail(store::errc::not_found));
  }
  void get(std::string, actors::reply_to<store::job> reply) override {
    reply(fail(store::errc::not_found));
  }
  void list(store::list_query,
            actors::reply_to<store::job_page> reply) override {
    reply(store::job_page{});
  }
  void
  depths(actors::reply_to<std::vector<store::queue_depth>> reply) override {
    reply(std::vector<store::queue_depth>{});
  }
  void extract(std::string,
               actors::reply_to<actors::extract_reply> reply) override {
    reply(actors::extract_reply{"{}"});
  }
  void figures(actors::reply_to<actors::hub_figures> reply) override {
    reply(actors::hub_figures{});
  }
  std::unique_ptr<actors::client_port>
  open_client(std::shared_ptr<actors::client_sink>) override {
    return nullptr;
  }

private:
  struct asked {
    store::submit_op op;
    actors::reply_to<actors::submit_reply> reply;
  };

  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<asked> batch;
      {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, stop, [this] { return !waiting_.empty(); });
        batch.swap(waiting_);
      }
      for (auto& [op, reply] : batch) {
        store::job job;
        static_cast<store::job_draft&>(job) = std::move(op.draft);
        job.id = "01J0000000000000" + std::to_string(1000000000 + ++made_);
        job.created_at = 1'700'000'000'000;
        reply(actors::submit_reply{std::move(job), true, false});
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<asked> waiting_;
  std::uint64_t made_ = 0;
  std::jthread thread_{[this](const std::stop_token& stop) {
    serve(stop);
  }};
};

int run(const std::string& port) {
  config::http_settings settings;
  settings.listen = "127.0.0.1:" + port;
  bench_gateway gateway;
  config::metrics metrics;
  config::source_settings sources;
  media::address_guard guard{sources};
  server edge{settings,
              server_parts{gateway, metrics, guard, "/tmp", nullptr, nullptr}};
  const auto bound = edge.listen();
  if (!bound) {
    std::cerr << bound.error().message() << '\n';
    return 1;
  }
  edge.run();
  std::cout << *bound << std::endl;
  while (std::getchar() != EOF)
    continue;
  return 0;
}

} // namespace

} // namespace troupe::net

int main(int argc, char** argv) {
  return troupe::net::run(argc > 1 ? argv[1] : "0");
}
