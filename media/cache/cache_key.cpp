#include "media/cache/cache_key.hpp"

#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstring>

namespace troupe::media {

cache_key key_of(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(),
             nullptr);
  cache_key out;
  std::memcpy(&out.high, digest.data(), sizeof out.high);
  std::memcpy(&out.low, digest.data() + sizeof out.high, sizeof out.low);
  return out;
}

std::string to_hex(const cache_key& key) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, sizeof key> bytes{};
  std::memcpy(bytes.data(), &key, sizeof key);
  std::string out;
  for (const auto byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::optional<cache_key> from_hex(std::string_view hex) {
  std::array<unsigned char, sizeof(cache_key)> bytes{};
  if (hex.size() != 2 * bytes.size())
    return std::nullopt;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto* const end = hex.data() + 2 * i + 2;
    const auto [stop, wrong] = std::from_chars(end - 2, end, bytes[i], 16);
    if (wrong != std::errc{} || stop != end)
      return std::nullopt;
  }
  cache_key out;
  std::memcpy(&out, bytes.data(), bytes.size());
  return out;
}

std::uint64_t mark_of(std::string_view name) {
  const auto mark = key_of(name).low;
  return mark == 0 ? 1 : mark;
}

} // namespace troupe::media
