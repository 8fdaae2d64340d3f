#include "media/codec/av/boxes.hpp"

#include <algorithm>

namespace troupe::codec {

namespace {

constexpr std::size_t header_size = 8;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

std::string big_endian(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8)
    text += static_cast<char>(value >> shift & 0xff);
  return text;
}

void grow(std::string& bytes, std::size_t box, std::size_t by) {
  const auto size = number_at(bytes, box) + static_cast<std::uint32_t>(by);
  bytes.replace(box, 4, big_endian(size));
}

} // namespace

std::size_t find_box(std::string_view bytes, std::string_view type,
                     std::size_t from, std::size_t to) {
  to = std::min(to, bytes.size());
  while (from + header_size <= to) {
    const std::size_t size = number_at(bytes, from);
    if (size < header_size || size > to - from)
      break;
    if (bytes.substr(from + 4, 4) == type)
      return from;
    from += size;
  }
  return std::string::npos;
}

bool add_edit(std::string& init, std::uint32_t media_time) {
  const auto none = std::string::npos;
  const auto moov = find_box(init, "moov", 0, init.size());
  if (moov == none)
    return false;
  const auto moov_end = moov + number_at(init, moov);
  const auto trak = find_box(init, "trak", moov + header_size, moov_end);
  if (trak == none)
    return false;
  const auto trak_end = trak + number_at(init, trak);
  const auto tkhd = find_box(init, "tkhd", trak + header_size, trak_end);
  if (tkhd == none)
    return false;
  const auto after = tkhd + number_at(init, tkhd);
  // One entry: of all that follows, from `media_time` on, at rate 1.
  const auto list = big_endian(28) + "elst" + big_endian(0) + big_endian(1)
                    + big_endian(0) + big_endian(media_time)
                    + big_endian(1u << 16);
  const auto edit = big_endian(36) + "edts" + list;
  init.insert(after, edit);
  grow(init, trak, edit.size());
  grow(init, moov, edit.size());
  return true;
}

} // namespace troupe::codec
