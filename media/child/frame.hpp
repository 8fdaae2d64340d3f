#pragma once

#include "media/descriptor.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

/// The language of server, zygote and codec child: packets on SOCK_SEQPACKET
/// sockets, each with a header, a payload and descriptors (SCM_RIGHTS).
namespace troupe::media {

/// What a packet says, and who sends it; the owner is the server.
enum class frame_kind : std::uint16_t {
  spawn = 1,    ///< owner to zygote: `spawn_order`; socket, lifeline
  ready = 2,    ///< child: pid; it is confined and has read no input
  task = 3,     ///< owner: name, zero byte, parameters; the task's files
  progress = 4, ///< child: `child_progress`
  log = 5,      ///< child: one line
  part = 6,     ///< child: bytes of its result, more follow
  result = 7,   ///< child: the last bytes of its result; its files
  error = 8,    ///< child: code, message
  read_at = 9,  ///< child: `child_read`; it waits for one of the next
  bytes = 10,   ///< owner: what was read; empty: there is no more
  unread = 11,  ///< owner: it cannot be read
};

/// Of a packet's payload, in bytes.
inline constexpr std::size_t max_payload = 64u << 10;
/// Of a packet's descriptors.
inline constexpr std::size_t max_files = 4;
/// Of a child's lines that its owner hears during one task.
inline constexpr std::size_t max_task_lines = 1000;

/// How far a task is; sent at most every 100 ms. It is also a sign of life.
struct child_progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0; ///< 0: unknown
};

/// What a child asks its owner to read for it, of the task's source.
struct child_read {
  std::uint64_t offset = 0;
  std::uint64_t size = 0; ///< 1 to `max_payload`
};

struct frame {
  frame_kind kind{};
  std::uint32_t task = 0; ///< the task that it belongs to; 0: none
  std::string_view payload;
  /// Of a `part`: bytes of the result that follow it; not more.
  std::uint32_t left = 0;
};

/// How a receive ended.
enum class frame_status : std::uint8_t {
  taken,
  nothing, ///< not now (MSG_DONTWAIT)
  closed,  ///< the other side is gone
  broken,  ///< no packet of this version: nothing more may be believed
};

struct received_frame {
  frame_status status = frame_status::closed;
  frame what; ///< its payload lies in the buffer given
  std::vector<descriptor> files;
};

/// Room for one packet.
class frame_buffer {
public:
  frame_buffer() : bytes_(max_payload + 64) {}
  [[nodiscard]] std::span<char> bytes() noexcept {
    return bytes_;
  }

private:
  std::vector<char> bytes_;
};

/// Sends one packet. False with errno: EAGAIN under MSG_DONTWAIT, EPIPE, …
/// @pre payload and files are within the limits above.
[[nodiscard]] bool send_frame(int socket, const frame& what,
                              std::span<const int> files = {}, int flags = 0);

/// Takes one packet; its payload comes to lie in `into`, and is `broken` if it
/// is larger. Descriptors are close-on-exec; those beyond the limit are closed,
/// and the packet is `broken`.
[[nodiscard]] received_frame receive_frame(int socket, std::span<char> into,
                                           int flags = 0);

[[nodiscard]] inline received_frame
receive_frame(int socket, frame_buffer& into, int flags = 0) {
  return receive_frame(socket, into.bytes(), flags);
}

/// A plain struct as a payload, and back; false if the size is another.
template <class T>
[[nodiscard]] std::string_view payload_of(const T& plain) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const char*>(&plain), sizeof plain};
}
template <class T>
[[nodiscard]] bool read_payload(std::string_view payload, T& into) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (payload.size() != sizeof into)
    return false;
  payload.copy(reinterpret_cast<char*>(&into), sizeof into);
  return true;
}

} // namespace troupe::media
