#include "benchmarks/load/wire.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>

/// The floor under every fan-out: no server, one loop. A POST makes three
/// events in one buffer, framed once, that goes to every socket in one `send`.
/// It knows no more of HTTP and WebSocket than our load generator needs.
namespace {

using troupe::load::handle;

constexpr std::string_view accepted =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
  "Connection: Upgrade\r\n"
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
constexpr std::string_view answered =
  "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
constexpr std::string_view subscribed =
  R"({"op":"subscribed","id":1,"topic":"jobs"})";

std::string frame(std::string_view text) {
  std::string out{"\x81"};
  if (text.size() >= 126) {
    out += '\x7e';
    out += static_cast<char>(text.size() >> 8);
  }
  out += static_cast<char>(text.size() & 0xff);
  return out.append(text);
}

std::string time_now() {
  timeval now{};
  ::gettimeofday(&now, nullptr);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  std::array<char, 64> text{};
  const auto size =
    ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ",
                static_cast<int>(now.tv_usec / 1000));
  return text.data();
}

class loop {
public:
  void run(const handle& listener) {
    watch(listener.get());
    for (;;) {
      std::array<epoll_event, 256> events;
      const int ready = ::epoll_wait(epoll_.get(), events.data(), 256, -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener.get())
          accept_from(fd);
        else
          read(fd);
      }
    }
  }

private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void accept_from(int listener) {
    handle peer{::accept(listener, nullptr, nullptr)};
    const int on = 1;
    ::setsockopt(peer.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(peer.get());
    const int fd = peer.get();
    peers_.emplace(fd, std::move(peer));
  }

  void read(int fd) {
    std::array<char, 4096> block;
    const auto got = ::recv(fd, block.data(), block.size(), 0);
    const auto& peer = peers_.at(fd);
    if (got <= 0) {
      clients_.erase(fd);
      peers_.erase(fd);
      return;
    }
    const std::string_view text{block.data(), static_cast<std::size_t>(got)};
    if (text.starts_with("GET")) {
      write_all(peer, accepted);
    } else if (text.starts_with("POST")) {
      write_all(peer, answered);
      tell_all();
    } else if (clients_.emplace(fd, &peer).second) {
      write_all(peer, frame(subscribed));
    }
  }

  void tell_all() {
    std::string frames;
    for (int i = 0; i < 3; ++i)
      frames += frame(R"({"op":"event","topic":"jobs","time":")" + time_now()
                      + R"(","data":")" + std::string(500, 'x') + "\"}");
    for (const auto& [fd, peer] : clients_)
      ::send(fd, frames.data(), frames.size(), MSG_NOSIGNAL);
  }

  handle epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::map<int, handle> peers_;
  std::map<int, const handle*> clients_;
};

} // namespace

int main() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const handle listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* address = reinterpret_cast<sockaddr*>(&where);
  if (::bind(listener.get(), address, size) != 0
      || ::listen(listener.get(), 4096) != 0
      || ::getsockname(listener.get(), address, &size) != 0)
    return 1;
  std::printf("%d\n", ntohs(where.sin_port));
  std::fflush(stdout);
  loop{}.run(listener);
}
