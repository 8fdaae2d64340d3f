#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::net {

/// What bodies are to the limits of bandwidth and to `/metrics`.
enum class traffic : std::uint8_t {
  other, ///< neither limited nor counted
  playlist,
  segment,
  direct,
  progressive,
  file,
  image,
};

[[nodiscard]] constexpr std::string_view to_string(traffic kind) noexcept {
  constexpr std::array<std::string_view, 7> names{
    "other", "playlist", "segment", "direct", "progressive", "file", "image"};
  return names[static_cast<std::size_t>(kind)];
}

/// Who shares bandwidth with whom.
struct sender {
  std::string owner;   ///< empty: whoever asks
  std::string session; ///< empty: the connection
  int priority = 5;    ///< 0 to 9
};

} // namespace troupe::net
