#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net {

/// A frame as it came (RFC 6455, 5.2).
struct ws_frame {
  int opcode = -1; ///< -1: the connection is gone
  std::string payload;

  /// Of a close frame; 1005 if it says none, 0 for other frames.
  [[nodiscard]] int close_code() const;
};

/// A WebSocket client that can misbehave. Waits at most ten seconds for
/// anything.
class ws_client {
public:
  static constexpr int unfinished = 0x80;

  /// Connects and upgrades.
  /// @param receive_buffer of the system, in bytes; 0: its own choice
  explicit ws_client(std::uint16_t port, int receive_buffer = 0);
  ~ws_client();
  ws_client(const ws_client&) = delete;
  ws_client& operator=(const ws_client&) = delete;

  [[nodiscard]] const std::string& answer_head() const noexcept {
    return head_;
  }

  void send_text(std::string_view text);
  /// @param opcode with `unfinished` if more of its message follows
  void send_frame(int opcode, std::string_view payload, bool masked = true);

  /// The next frame, whatever it is.
  ws_frame read();
  /// The next text; empty if something else comes.
  std::string text();
  /// Reads texts until there is a close, and its code.
  int closed_with();

private:
  bool more();
  void send_all(std::string_view bytes);

  int fd_ = -1;
  std::string head_;
  std::string input_;
};

} // namespace troupe::net
