#include "ws_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace troupe::net {

namespace {

constexpr int patience_ms = 10000;
constexpr std::string_view mask = "mask";

void append_number(std::string& out, std::size_t value, int bytes) {
  while (bytes-- > 0)
    out += static_cast<char>(value >> (8 * bytes));
}

std::size_t number_at(const std::string& in, std::size_t at, int bytes) {
  std::size_t out = 0;
  for (int i = 0; i < bytes; ++i)
    out = out << 8 | static_cast<unsigned char>(in[at++]);
  return out;
}

} // namespace

int ws_frame::close_code() const {
  if (opcode != 8)
    return 0;
  return payload.size() < 2 ? 1005 : static_cast<int>(number_at(payload, 0, 2));
}

ws_client::ws_client(std::uint16_t port, int receive_buffer)
  : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  if (receive_buffer > 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                 sizeof(receive_buffer));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0)
    throw std::runtime_error{"cannot connect"};
  send_all("GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port)
           + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Protocol: other, troupe.v1\r\n\r\n");
  while (input_.find("\r\n\r\n") == input_.npos)
    if (!more())
      throw std::runtime_error{"no answer"};
  const auto end = input_.find("\r\n\r\n") + 4;
  head_ = input_.substr(0, end);
  input_.erase(0, end);
}

ws_client::~ws_client() {
  ::close(fd_);
}

void ws_client::send_text(std::string_view text) {
  send_frame(1, text);
}

void ws_client::send_frame(int opcode, std::string_view payload, bool masked) {
  std::string out;
  out += static_cast<char>(0x80 ^ opcode);
  const int bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    out += static_cast<char>(bit | static_cast<int>(payload.size()));
  } else {
    const bool large = payload.size() > 0xFFFF;
    out += static_cast<char>(bit | (large ? 127 : 126));
    append_number(out, payload.size(), large ? 8 : 2);
  }
  if (masked)
    out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += masked ? static_cast<char>(payload[i] ^ mask[i % 4]) : payload[i];
  send_all(out);
}

void ws_client::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return; // The reader sees what became of it.
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool ws_client::more() {
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, patience_ms) <= 0)
    return false;
  std::array<char, 65536> block;
  const auto got = ::recv(fd_, block.data(), block.size(), 0);
  if (got <= 0)
    return false;
  input_.append(block.data(), static_cast<std::size_t>(got));
  return true;
}

ws_frame ws_client::read() {
  const auto have = [this](std::size_t bytes) {
    while (input_.size() < bytes)
      if (!more())
        return false;
    return true;
  };
  if (!have(2))
    return {};
  std::size_t size = static_cast<unsigned char>(input_[1]) & 0x7F;
  std::size_t start = 2;
  if (size >= 126) {
    const int bytes = size == 126 ? 2 : 8;
    start += static_cast<std::size_t>(bytes);
    if (!have(start))
      return {};
    size = number_at(input_, 2, bytes);
  }
  if (!have(start + size))
    return {};
  ws_frame frame{input_[0] & 0x0F, input_.substr(start, size)};
  input_.erase(0, start + size);
  return frame;
}

std::string ws_client::text() {
  const auto frame = read();
  return frame.opcode == 1 ? frame.payload : std::string{};
}

int ws_client::closed_with() {
  for (;;) {
    const auto frame = read();
    if (frame.opcode == 8 || frame.opcode < 0)
      return frame.close_code();
  }
}

} // namespace troupe::net
