#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::media {

/// The first half of a SHA-256: names what is kept, or its bytes.
struct cache_key {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const cache_key&) const = default;
};

/// Of some bytes.
[[nodiscard]] cache_key key_of(std::string_view bytes);
/// 32 lower-case hex digits.
[[nodiscard]] std::string to_hex(const cache_key& key);
/// What `to_hex` wrote; nothing for anything else.
[[nodiscard]] std::optional<cache_key> from_hex(std::string_view hex);
/// Of a name that purges are asked by, such as a source; never 0.
[[nodiscard]] std::uint64_t mark_of(std::string_view name);

} // namespace troupe::media

template <>
struct std::hash<troupe::media::cache_key> {
  std::size_t operator()(const troupe::media::cache_key& key) const noexcept {
    return key.low;
  }
};
