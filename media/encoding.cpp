#include "media/encoding.hpp"

#include <charconv>
#include <cstdint>

namespace troupe::media {

std::string bytes_of_hex(std::string_view digits) {
  std::string out;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    unsigned char byte = 0;
    std::from_chars(digits.data() + at, digits.data() + at + 2, byte, 16);
    out += static_cast<char>(byte);
  }
  return out;
}

std::string base64url(std::string_view bytes) {
  static constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6)
      out += digits[held >> (bits - 6) & 63];
  }
  if (bits > 0)
    out += digits[held << (6 - bits) & 63];
  return out;
}

} // namespace troupe::media
