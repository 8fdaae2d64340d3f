#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::load {

/// An owned file descriptor.
class handle {
public:
  explicit handle(int fd = -1) : fd_(fd) {}
  handle(handle&& other) noexcept;
  handle& operator=(handle&& other) noexcept;
  ~handle();
  [[nodiscard]] int get() const noexcept {
    return fd_;
  }

private:
  int fd_;
};

/// Connects to 127.0.0.1; without delay (TCP_NODELAY). Exits with a message if
/// nobody listens: a benchmark has no better plan.
[[nodiscard]] handle connect_to(std::uint16_t port);

/// Writes everything, waiting as needed; the socket may be non-blocking.
void write_all(const handle& to, std::string_view bytes);

void set_nonblocking(const handle& of);

/// One whole HTTP/1.1 response at the front of a buffer.
struct http_answer {
  int status = 0;
  std::size_t size = 0; ///< head and body; 0: not complete yet
  std::string_view body;
};
[[nodiscard]] http_answer first_answer(std::string_view buffer);

/// A POST with a JSON body, kept alive.
[[nodiscard]] std::string post(std::string_view target, std::string_view body,
                               std::uint16_t port);

/// A GET on a connection of its own; the body.
[[nodiscard]] std::string fetch(std::uint16_t port, std::string_view target);

/// An empty POST on a connection of its own. Exits if it is not answered 2xx.
void command(std::uint16_t port, std::string_view target);

} // namespace troupe::load
