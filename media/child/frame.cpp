#include "media/child/frame.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace troupe::media {

namespace {

/// "TRC" and the version of this language.
constexpr std::uint32_t frame_magic = 0x54524303;

struct frame_header {
  std::uint32_t magic = 0;
  std::uint16_t kind = 0;
  std::uint16_t files = 0;
  std::uint32_t task = 0;
  std::uint32_t size = 0;
  std::uint32_t left = 0;
};

constexpr std::size_t control_room = CMSG_SPACE(sizeof(int) * max_files);

/// Takes every descriptor that came along, wanted or not.
std::vector<descriptor> files_of(msghdr& message) {
  std::vector<descriptor> files;
  for (auto* at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
      continue;
    const auto count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
      files.emplace_back(fd);
    }
  }
  return files;
}

bool is_sound(const frame_header& header, const msghdr& message,
              std::size_t payload, std::size_t files) {
  return header.magic == frame_magic && header.size == payload
         && header.files == files
         && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
}

} // namespace

bool send_frame(int socket, const frame& what, std::span<const int> files,
                int flags) {
  const frame_header header{frame_magic,
                            static_cast<std::uint16_t>(what.kind),
                            static_cast<std::uint16_t>(files.size()),
                            what.task,
                            static_cast<std::uint32_t>(what.payload.size()),
                            what.left};
  iovec parts[2]{{const_cast<frame_header*>(&header), sizeof header},
                 {const_cast<char*>(what.payload.data()), what.payload.size()}};
  alignas(cmsghdr) char control[control_room]{};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (!files.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(files.size_bytes());
    auto* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(files.size_bytes());
    std::memcpy(CMSG_DATA(rights), files.data(), files.size_bytes());
  }
  for (;;) {
    const auto sent = ::sendmsg(socket, &message, flags | MSG_NOSIGNAL);
    if (sent >= 0 || errno != EINTR)
      return sent >= 0;
  }
}

received_frame receive_frame(int socket, std::span<char> into, int flags) {
  frame_header header;
  iovec parts[2]{{&header, sizeof header}, {into.data(), into.size()}};
  alignas(cmsghdr) char control[control_room]{};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  do
    size = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  received_frame taken;
  if (size < 0) {
    const bool later = errno == EAGAIN || errno == EWOULDBLOCK;
    taken.status = later ? frame_status::nothing : frame_status::closed;
    return taken;
  }
  taken.files = files_of(message);
  if (size == 0)
    return taken;
  const auto whole = static_cast<std::size_t>(size);
  const auto payload = whole - std::min(whole, sizeof header);
  if (!is_sound(header, message, payload, taken.files.size())) {
    taken.files.clear();
    taken.status = frame_status::broken;
    return taken;
  }
  taken.status = frame_status::taken;
  taken.what = {static_cast<frame_kind>(header.kind),
                header.task,
                {into.data(), payload},
                header.left};
  return taken;
}

} // namespace troupe::media
