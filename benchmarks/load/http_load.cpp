#include "benchmarks/load/http_load.hpp"

#include "benchmarks/load/wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <vector>

namespace troupe::load {

namespace {

struct lane {
  handle peer;
  std::string buffer;
  clock::time_point due;
  bool busy = false;
};

/// Invariant: a lane is busy exactly while a request of its own is unanswered;
/// idle lanes stand in `idle_`.
class post_run {
public:
  explicit post_run(const post_plan& plan)
    : plan_(plan), request_(request_of(plan)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    lanes_.resize(plan.connections);
    for (std::size_t i = 0; i < lanes_.size(); ++i)
      open(i);
  }

  post_outcome run() {
    started_ = clock::now();
    end_ = started_
           + std::chrono::duration_cast<clock::duration>(
             std::chrono::duration<double>(plan_.seconds));
    while (!over() || busy_ > 0) {
      send_due();
      wait();
    }
    outcome_.seconds =
      std::chrono::duration<double>(clock::now() - started_).count();
    outcome_.jobs = sent_;
    return std::move(outcome_);
  }

private:
  std::uint64_t weight() const {
    return std::max<std::uint64_t>(plan_.batch, 1);
  }

  static std::string request_of(const post_plan& plan) {
    if (plan.batch == 0)
      return post(plan.target, plan.body, plan.port);
    std::string jobs;
    for (std::uint64_t i = 0; i < plan.batch; ++i)
      jobs.append(i == 0 ? "" : ",").append(plan.body);
    return post(plan.target + "/batch", R"({"jobs":[)" + jobs + "]}",
                plan.port);
  }

  void open(std::size_t at) {
    auto& self = lanes_[at];
    self.peer = connect_to(plan_.port);
    set_nonblocking(self.peer);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = at;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, self.peer.get(), &event);
    idle_.push_back(at);
  }

  bool over() const {
    return plan_.count > 0 ? sent_ >= plan_.count : clock::now() >= end_;
  }

  clock::time_point due_time() const {
    if (plan_.rate <= 0)
      return clock::now();
    return started_
           + std::chrono::duration_cast<clock::duration>(
             std::chrono::duration<double>(static_cast<double>(sent_)
                                           / plan_.rate));
  }

  /// How long nothing can be sent; at most 100 ms.
  timespec until_due() const {
    using std::chrono::nanoseconds;
    auto left = nanoseconds{100'000'000};
    if (plan_.rate > 0 && !idle_.empty() && !over())
      left = std::clamp<nanoseconds>(due_time() - clock::now(), nanoseconds{0},
                                     left);
    return {0, left.count()};
  }

  void send_due() {
    while (!idle_.empty() && !over()) {
      const auto due = due_time();
      if (due > clock::now())
        return;
      auto& next = lanes_[idle_.front()];
      idle_.pop_front();
      next.busy = true;
      next.due = due;
      ++busy_;
      sent_ += weight();
      write_all(next.peer, request_);
    }
  }

  void wait() {
    std::array<epoll_event, 256> events;
    const auto timeout = until_due();
    const int ready =
      ::epoll_pwait2(epoll_.get(), events.data(),
                     static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < ready; ++i)
      read(events[static_cast<std::size_t>(i)].data.u64);
  }

  void read(std::size_t at) {
    auto& from = lanes_[at];
    std::array<char, 65536> block;
    const auto got = ::recv(from.peer.get(), block.data(), block.size(), 0);
    if (got < 0 && errno == EAGAIN)
      return;
    if (got <= 0) {
      std::fprintf(stderr, "the server closed a connection\n");
      std::exit(1);
    }
    from.buffer.append(block.data(), static_cast<std::size_t>(got));
    const auto answer = first_answer(from.buffer);
    if (answer.size == 0)
      return;
    if (answer.status / 100 != 2)
      ++outcome_.errors;
    from.buffer.erase(0, answer.size);
    from.busy = false;
    --busy_;
    outcome_.latencies.add(clock::now() - from.due);
    idle_.push_back(at);
  }

  const post_plan& plan_;
  std::string request_;
  handle epoll_;
  std::vector<lane> lanes_;
  std::deque<std::size_t> idle_;
  post_outcome outcome_;
  clock::time_point started_;
  clock::time_point end_;
  std::uint64_t sent_ = 0;
  std::size_t busy_ = 0;
};

} // namespace

post_outcome run_posts(const post_plan& plan) {
  return post_run{plan}.run();
}

} // namespace troupe::load
