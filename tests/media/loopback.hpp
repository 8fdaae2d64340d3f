#pragma once

#include "media/descriptor.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::media {

inline sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

/// A blocking TCP peer with a deadline of 20 s for each read and write.
class peer {
public:
  explicit peer(int fd) : socket_(fd) {
    const timeval longest{20, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  }
  peer(const std::string& host, std::uint16_t port)
    : peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto to = address_of(host, port);
    const auto* raw = reinterpret_cast<const sockaddr*>(&to);
    if (::connect(socket_.get(), raw, sizeof to) != 0)
      ADD_FAILURE() << "cannot connect to " << host;
  }

  /// False if the other end is gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// Everything up to and with `mark`, or up to the end.
  std::string read_through(std::string_view mark) {
    for (;;) {
      const auto at = ahead_.find(mark);
      if (at != std::string::npos)
        return take(at + mark.size());
      if (!read_more())
        return take(ahead_.size());
    }
  }
  std::string read_exactly(std::size_t size) {
    while (ahead_.size() < size && read_more())
      continue;
    return take(std::min(size, ahead_.size()));
  }
  std::string read_all() {
    while (read_more())
      continue;
    return take(ahead_.size());
  }
  /// How many bytes come until the end, without keeping them.
  std::size_t count_all() {
    std::size_t count = std::exchange(ahead_, {}).size();
    std::vector<char> block(256u << 10);
    for (;;) {
      const auto got = ::recv(socket_.get(), block.data(), block.size(), 0);
      if (got <= 0)
        return count;
      count += static_cast<std::size_t>(got);
    }
  }
  /// Header and body of one response with a Content-Length.
  std::pair<std::string, std::string> read_response() {
    auto head = read_through("\r\n\r\n");
    const auto at = head.find("Content-Length: ");
    if (at == std::string::npos)
      return {std::move(head), {}};
    return {head, read_exactly(std::stoul(head.substr(at + 16)))};
  }
  void shutdown_send() {
    ::shutdown(socket_.get(), SHUT_WR);
  }
  [[nodiscard]] int fd() const {
    return socket_.get();
  }

private:
  bool read_more() {
    char block[64u << 10];
    const auto count = ::recv(socket_.get(), block, sizeof block, 0);
    if (count <= 0)
      return false;
    ahead_.append(block, static_cast<std::size_t>(count));
    return true;
  }
  std::string take(std::size_t size) {
    auto taken = ahead_.substr(0, size);
    ahead_.erase(0, size);
    return taken;
  }

  descriptor socket_;
  std::string ahead_;
};

/// A server on a loopback address; each connection is served on a thread of
/// its own.
class origin {
public:
  using serve = std::function<void(peer&)>;

  origin(const std::string& host, serve how, std::uint16_t on_port = 0)
    : serve_(std::move(how)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    auto address = address_of(host, on_port);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), raw, size), 0) << host;
    EXPECT_EQ(::listen(listener_.get(), 512), 0);
    EXPECT_EQ(::getsockname(listener_.get(), raw, &size), 0);
    port = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] {
      accept_all();
    }};
  }
  origin(const origin&) = delete;
  origin& operator=(const origin&) = delete;
  ~origin() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (auto& thread : threads_)
      thread.join();
  }

  std::uint16_t port = 0;
  std::atomic<int> connections{0};

private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0)
        return;
      ++connections;
      threads_.emplace_back([this, fd] {
        peer client{fd};
        serve_(client);
      });
    }
  }

  serve serve_;
  descriptor listener_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

} // namespace troupe::media
