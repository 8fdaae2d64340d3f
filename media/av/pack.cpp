#include "media/av/pack.hpp"

#include "media/errc.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace troupe::media {

namespace {

constexpr std::uint32_t pack_mark = 0x31'50'52'54; // "TRP1"

/// As it stands in the file: of one machine's kind, as all that share it are.
struct pack_head {
  std::uint32_t mark = pack_mark;
  std::uint8_t part = 0;
  std::uint8_t track = 0;
  std::uint16_t spare = 0;
  std::uint32_t number = 0;
  std::uint32_t size = 0;
  std::uint64_t hash = 0;
  std::uint64_t head_hash = 0; ///< of all before it
};
static_assert(sizeof(pack_head) == pack_head_size);

std::uint64_t hash_of_head(const pack_head& head) {
  return pack_hash(
    {reinterpret_cast<const char*>(&head), offsetof(pack_head, head_hash)});
}

bool read_all(int file, char* into, std::size_t count, std::uint64_t from) {
  while (count > 0) {
    const auto done = ::pread(file, into, count, static_cast<off_t>(from));
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    into += done;
    from += static_cast<std::uint64_t>(done);
    count -= static_cast<std::size_t>(done);
  }
  return true;
}

} // namespace

/// FNV-1a: it tells what a crash has left half written, nothing more.
std::uint64_t pack_hash(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char each : bytes)
    hash = (hash ^ static_cast<std::uint8_t>(each)) * 0x100000001b3;
  return hash;
}

std::string encode_pack_head(const pack_entry& entry) {
  pack_head head;
  head.part = static_cast<std::uint8_t>(entry.part);
  head.track = entry.track;
  head.number = entry.number;
  head.size = entry.size;
  head.hash = entry.hash;
  head.head_hash = hash_of_head(head);
  std::string text(pack_head_size, '\0');
  std::memcpy(text.data(), &head, pack_head_size);
  return text;
}

std::vector<pack_entry> read_pack(int file, bool whole) {
  std::vector<pack_entry> all;
  // Not by `fstat`, which children may not call by the way that glibc takes.
  const auto size = ::lseek(file, 0, SEEK_END);
  const auto end = static_cast<std::uint64_t>(std::max<off_t>(size, 0));
  pack_head head;
  for (std::uint64_t at = 0; at + pack_head_size <= end;) {
    if (!read_all(file, reinterpret_cast<char*>(&head), pack_head_size, at)
        || head.mark != pack_mark || head.head_hash != hash_of_head(head)
        || head.size > end - at - pack_head_size)
      break;
    const pack_entry entry{static_cast<pack_part>(head.part),
                           head.track,
                           head.number,
                           head.size,
                           head.hash,
                           at + pack_head_size};
    if (whole) {
      const auto bytes = read_pack_part(file, entry);
      if (!bytes || pack_hash(*bytes) != entry.hash)
        break;
    }
    all.push_back(entry);
    at = entry.at + entry.size;
  }
  return all;
}

result<std::string> read_pack_part(int file, const pack_entry& entry) {
  std::string bytes(entry.size, '\0');
  if (!read_all(file, bytes.data(), bytes.size(), entry.at))
    return fail(errc::io_error, "what was made cannot be read again");
  return bytes;
}

std::vector<pack_entry> pack_track(const std::vector<pack_entry>& all,
                                   std::uint8_t track, pack_part what) {
  std::vector<pack_entry> found;
  for (const auto& each : all)
    if (each.track == track
        && (each.part == pack_part::init || each.part == what))
      found.push_back(each);
  std::ranges::sort(found, [](const pack_entry& a, const pack_entry& b) {
    return std::pair{a.part != pack_part::init, a.number}
           < std::pair{b.part != pack_part::init, b.number};
  });
  const bool complete =
    found.size() > 1 && found.front().part == pack_part::init
    && found[1].part == what && found.back().number + 2 == found.size();
  return complete ? found : std::vector<pack_entry>{};
}

} // namespace troupe::media
