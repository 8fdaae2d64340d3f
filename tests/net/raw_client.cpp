#include "raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace troupe::net {

raw_client::raw_client(std::uint16_t port)
  : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}, port_{port} {
  const timeval limit{10, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error{"cannot connect"};
}

raw_client::~raw_client() {
  ::close(fd_);
}

void raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void raw_client::finish_sending() {
  ::shutdown(fd_, SHUT_WR);
}

bool raw_client::more() {
  char block[4096];
  const auto got = ::recv(fd_, block, sizeof block, 0);
  if (got > 0)
    input_.append(block, static_cast<std::size_t>(got));
  ended_ = got <= 0;
  return got > 0;
}

raw_answer raw_client::read(bool bare) {
  raw_answer out;
  while (input_.find("\r\n\r\n") == input_.npos)
    if (!more())
      return out;
  const auto head = input_.substr(0, input_.find("\r\n\r\n") + 2);
  input_.erase(0, head.size() + 2);
  out.status = std::stoi(head.substr(9, 3));
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto end = head.find("\r\n", at);
    const auto colon = head.find(": ", at);
    auto name = head.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) {
      return static_cast<char>(std::tolower(c));
    });
    out.fields[name] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  const auto length = out.fields.find("content-length");
  if (bare || length == out.fields.end())
    return out;
  const auto size = std::stoul(length->second);
  while (input_.size() < size)
    if (!more())
      break;
  out.body = input_.substr(0, size);
  input_.erase(0, size);
  return out;
}

std::string raw_client::line() {
  while (input_.find('\n') == input_.npos)
    if (!more())
      return {};
  const auto end = input_.find('\n');
  auto out = input_.substr(0, end);
  input_.erase(0, end + 1);
  if (out.ends_with('\r'))
    out.pop_back();
  return out;
}

bool raw_client::closed() {
  while (more())
    continue;
  char one;
  return ::recv(fd_, &one, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

std::string raw_client::host() const {
  return "127.0.0.1:" + std::to_string(port_);
}

raw_answer raw_client::ask(std::string_view method, std::string_view target,
                           std::string_view body, std::string_view fields) {
  std::string text{method};
  text.append(" ").append(target).append(" HTTP/1.1\r\n");
  if (fields.find("Host:") == fields.npos)
    text.append("Host: ").append(host()).append("\r\n");
  if (!body.empty() && fields.find("Content-Type:") == fields.npos)
    text += "Content-Type: application/json\r\n";
  if (!body.empty())
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text.append(fields).append("\r\n").append(body);
  send(text);
  return read(method == "HEAD");
}

} // namespace troupe::net
