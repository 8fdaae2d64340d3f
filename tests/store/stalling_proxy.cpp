#include "tests/store/stalling_proxy.hpp"

#include <chrono>
#include <stdexcept>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::store::testing {

namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// Whether something can be read or taken within a moment.
bool is_ready(int fd) {
  pollfd it{fd, POLLIN, 0};
  return ::poll(&it, 1, 10) > 0;
}

} // namespace

stalling_proxy::stalling_proxy(int to_port) : to_port_(to_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, 16) != 0
      || ::getsockname(listener_, any, &size) != 0)
    throw std::runtime_error("no proxy");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread{[this] {
    serve();
  }};
}

stalling_proxy::~stalling_proxy() {
  ends_ = true;
  acceptor_.join();
  for (auto& pump : pumps_)
    pump.join();
  ::close(listener_);
}

void stalling_proxy::serve() {
  while (!ends_) {
    if (!is_ready(listener_))
      continue;
    const int near = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(to_port_);
    if (::connect(far, reinterpret_cast<sockaddr*>(&address), sizeof address)
        != 0) {
      ::close(near);
      ::close(far);
      continue;
    }
    pumps_.emplace_back([this, near, far] {
      std::thread back{[this, near, far] {
        carry(far, near);
      }};
      carry(near, far);
      back.join();
      ::close(near);
      ::close(far);
    });
  }
}

void stalling_proxy::carry(int from, int to) {
  char block[16384];
  while (!ends_) {
    if (stalled_) {
      std::this_thread::sleep_for(2ms);
      continue;
    }
    // Silent from the moment it is told so, even with a message at hand.
    if (!is_ready(from) || stalled_)
      continue;
    const auto size = ::recv(from, block, sizeof block, 0);
    if (size <= 0
        || ::send(to, block, static_cast<std::size_t>(size), MSG_NOSIGNAL)
             != size)
      break;
  }
  ::shutdown(from, SHUT_RDWR);
  ::shutdown(to, SHUT_RDWR);
}

} // namespace troupe::store::testing
