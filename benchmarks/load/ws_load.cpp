#include "benchmarks/load/ws_load.hpp"

#include "benchmarks/load/wire.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <vector>

namespace troupe::load {

namespace {

/// A masked client text frame (RFC 6455, 5.2); the mask is all zeros, which
/// servers take like any other.
std::string text_frame(std::string_view text) {
  std::string frame{"\x81"};
  if (text.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | text.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(text.size() >> 8));
    frame.push_back(static_cast<char>(text.size() & 0xff));
  }
  return frame.append(4, '\0').append(text);
}

/// The size of the first whole frame in `buffer` and its payload; 0 if it is
/// not whole. Frames of a server are not masked.
std::size_t first_frame(std::string_view buffer, std::string_view& payload) {
  if (buffer.size() < 2)
    return 0;
  const auto byte = [&buffer](std::size_t at) {
    return static_cast<std::uint8_t>(buffer[at]);
  };
  std::size_t head = 2;
  std::uint64_t size = byte(1) & 0x7fu;
  if (size >= 126) {
    const std::size_t extra = size == 126 ? 2 : 8;
    head += extra;
    if (buffer.size() < head)
      return 0;
    size = 0;
    for (std::size_t i = 2; i < head; ++i)
      size = size << 8 | byte(i);
  }
  if (buffer.size() < head + size)
    return 0;
  payload = buffer.substr(head, size);
  return head + size;
}

double wall_ms() {
  timeval now{};
  ::gettimeofday(&now, nullptr);
  return static_cast<double>(now.tv_sec) * 1000
         + static_cast<double>(now.tv_usec) / 1000;
}

/// `"time":"2026-11-22T10:00:00.123Z"` of an event as Unix milliseconds; 0 if
/// there is none. The date part is parsed once and kept.
class event_clock {
public:
  double time_of(std::string_view frame) {
    constexpr std::string_view name = "\"time\":\"";
    const auto at = frame.find(name);
    if (at == std::string_view::npos || frame.size() < at + name.size() + 24)
      return 0;
    const auto text = frame.substr(at + name.size(), 24);
    if (text.substr(0, 19) != second_) {
      second_ = text.substr(0, 19);
      tm parts{};
      ::strptime(second_.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
      second_ms_ = static_cast<double>(::timegm(&parts)) * 1000;
    }
    int ms = 0;
    std::from_chars(text.data() + 20, text.data() + 23, ms);
    return second_ms_ + ms;
  }

private:
  std::string second_;
  double second_ms_ = 0;
};

struct listener {
  handle peer;
  std::string buffer;
  bool upgraded = false;
  bool subscribed = false;
};

class listen_run {
public:
  explicit listen_run(const listen_plan& plan)
    : plan_(plan), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    listeners_.resize(plan.clients);
    for (std::size_t i = 0; i < listeners_.size(); ++i)
      open(i);
  }

  listen_outcome run() {
    while (subscribed_ < listeners_.size())
      wait();
    std::fprintf(stderr, "listening\n");
    const auto started = clock::now();
    counting_ = true;
    while (std::chrono::duration<double>(clock::now() - started).count()
           < plan_.seconds)
      wait();
    outcome_.seconds =
      std::chrono::duration<double>(clock::now() - started).count();
    return std::move(outcome_);
  }

private:
  void open(std::size_t at) {
    auto& self = listeners_[at];
    self.peer = connect_to(plan_.port);
    const auto host = "127.0.0.1:" + std::to_string(plan_.port);
    write_all(self.peer, "GET " + plan_.target + " HTTP/1.1\r\nHost: " + host
                           + "\r\nUpgrade: websocket\r\nConnection: Upgrade"
                             "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
                             "\r\nSec-WebSocket-Version: 13"
                             "\r\nSec-WebSocket-Protocol: troupe.v1\r\n\r\n");
    set_nonblocking(self.peer);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = at;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, self.peer.get(), &event);
  }

  void wait() {
    std::array<epoll_event, 256> events;
    const int ready = ::epoll_wait(epoll_.get(), events.data(),
                                   static_cast<int>(events.size()), 50);
    for (int i = 0; i < ready; ++i)
      read(events[static_cast<std::size_t>(i)].data.u64);
  }

  void read(std::size_t at) {
    auto& from = listeners_[at];
    const auto got = ::recv(from.peer.get(), block_.data(), block_.size(), 0);
    if (got < 0 && errno == EAGAIN)
      return;
    if (got <= 0) {
      ++outcome_.closed;
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, from.peer.get(), nullptr);
      return;
    }
    from.buffer.append(block_.data(), static_cast<std::size_t>(got));
    if (!from.upgraded && !upgrade(from))
      return;
    take_frames(from);
  }

  bool upgrade(listener& from) {
    const auto head = from.buffer.find("\r\n\r\n");
    if (head == std::string::npos)
      return false;
    if (from.buffer.compare(9, 3, "101") != 0) {
      std::fprintf(stderr, "no upgrade: %s\n", from.buffer.c_str());
      std::exit(1);
    }
    from.buffer.erase(0, head + 4);
    from.upgraded = true;
    if (plan_.topic.empty())
      mark_subscribed(from);
    else
      write_all(from.peer,
                text_frame(R"({"op":"subscribe","id":1,"topics":[{"topic":")"
                           + plan_.topic + "\"}]}"));
    return true;
  }

  void mark_subscribed(listener& from) {
    if (!from.subscribed)
      ++subscribed_;
    from.subscribed = true;
  }

  void take_frames(listener& from) {
    std::string_view rest{from.buffer};
    std::string_view payload;
    const auto now = wall_ms();
    while (const auto size = first_frame(rest, payload)) {
      take(from, payload, now);
      rest.remove_prefix(size);
    }
    from.buffer.erase(0, from.buffer.size() - rest.size());
  }

  void take(listener& from, std::string_view payload, double now) {
    if (payload.find("\"op\":\"subscribed\"") != std::string_view::npos)
      return mark_subscribed(from);
    if (!counting_)
      return;
    outcome_.bytes += payload.size();
    const auto made = clock_.time_of(payload);
    outcome_.latencies.add_us(made > 0 ? (now - made) * 1000 : 0);
  }

  const listen_plan& plan_;
  handle epoll_;
  std::vector<listener> listeners_;
  std::array<char, 262144> block_;
  std::size_t subscribed_ = 0;
  bool counting_ = false;
  event_clock clock_;
  listen_outcome outcome_;
};

} // namespace

listen_outcome run_listeners(const listen_plan& plan) {
  return listen_run{plan}.run();
}

} // namespace troupe::load
