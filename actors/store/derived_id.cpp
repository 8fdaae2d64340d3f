#include "actors/store/derived_id.hpp"

#include "actors/store/operation.hpp"
#include "actors/store/ulid.hpp"
#include "media/files/digest.hpp"

namespace troupe::store {

namespace {

constexpr std::size_t time_size = 10;
constexpr std::size_t name_size = 16;

/// 16 characters of base 32. Their values come from a digest's first 32 hex
/// digits, two for each, of which five bits count.
std::string digest_of(std::string_view name) {
  const auto hex = media::sha256_hex(name);
  std::string text(name_size, '0');
  const auto value = [](char digit) {
    return digit <= '9' ? digit - '0' : digit - 'a' + 10;
  };
  for (std::size_t i = 0; i < name_size; ++i)
    text[i] =
      base32_digits[(value(hex[2 * i]) * 16 + value(hex[2 * i + 1])) & 31];
  return text;
}

} // namespace

std::string derived_id(timestamp_ms time, std::string_view name) {
  std::string text(time_size, '0');
  auto bits = static_cast<std::uint64_t>(time);
  for (std::size_t i = time_size; i-- > 0; bits >>= 5)
    text[i] = base32_digits[bits & 31];
  return text + digest_of(name);
}

std::string child_id(std::string_view parent, std::string_view item) {
  std::string name{parent};
  name += '\0';
  name += item;
  std::string text{parent.substr(0, time_size)};
  text.resize(time_size, '0');
  return text + digest_of(name);
}

} // namespace troupe::store
