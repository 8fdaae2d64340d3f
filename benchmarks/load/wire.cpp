#include "benchmarks/load/wire.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace troupe::load {

namespace {

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

void wait_for(const handle& of, short events) {
  pollfd entry{of.get(), events, 0};
  if (::poll(&entry, 1, 30000) <= 0)
    give_up("poll");
}

} // namespace

handle::handle(handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

handle& handle::operator=(handle&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

handle::~handle() {
  if (fd_ >= 0)
    ::close(fd_);
}

handle connect_to(std::uint16_t port) {
  handle made{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (made.get() < 0)
    give_up("socket");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to)
      != 0)
    give_up("connect");
  const int on = 1;
  ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

void write_all(const handle& to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto wrote =
      ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (wrote >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    else if (errno == EAGAIN)
      wait_for(to, POLLOUT);
    else
      give_up("send");
  }
}

void set_nonblocking(const handle& of) {
  ::fcntl(of.get(), F_SETFL, ::fcntl(of.get(), F_GETFL) | O_NONBLOCK);
}

http_answer first_answer(std::string_view buffer) {
  constexpr std::string_view length_name = "Content-Length: ";
  const auto head = buffer.find("\r\n\r\n");
  if (head == std::string_view::npos || buffer.size() < 12)
    return {};
  http_answer answer;
  std::from_chars(buffer.data() + 9, buffer.data() + 12, answer.status);
  std::size_t length = 0;
  const auto at = buffer.substr(0, head).find(length_name);
  if (at != std::string_view::npos)
    std::from_chars(buffer.data() + at + length_name.size(),
                    buffer.data() + head, length);
  if (buffer.size() < head + 4 + length)
    return {};
  answer.size = head + 4 + length;
  answer.body = buffer.substr(head + 4, length);
  return answer;
}

std::string post(std::string_view target, std::string_view body,
                 std::uint16_t port) {
  std::string request;
  request.append("POST ").append(target).append(
    " HTTP/1.1\r\nHost: 127.0.0.1:");
  request.append(std::to_string(port));
  request.append("\r\nContent-Type: application/json\r\nContent-Length: ");
  request.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return request;
}

namespace {

/// The status and body of the answer, on a connection of its own.
std::pair<int, std::string> ask(std::uint16_t port, std::string_view request) {
  const auto peer = connect_to(port);
  write_all(peer, request);
  std::string buffer;
  for (;;) {
    char block[65536];
    const auto got = ::recv(peer.get(), block, sizeof block, 0);
    if (got <= 0)
      give_up("recv");
    buffer.append(block, static_cast<std::size_t>(got));
    if (const auto answer = first_answer(buffer); answer.size > 0)
      return {answer.status, std::string{answer.body}};
  }
}

} // namespace

std::string fetch(std::uint16_t port, std::string_view target) {
  std::string request{"GET "};
  request.append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1:");
  request.append(std::to_string(port)).append("\r\n\r\n");
  return ask(port, request).second;
}

void command(std::uint16_t port, std::string_view target) {
  const auto [status, body] = ask(port, post(target, "", port));
  if (status / 100 == 2)
    return;
  std::fprintf(stderr, "%s\n", body.c_str());
  std::exit(1);
}

} // namespace troupe::load
