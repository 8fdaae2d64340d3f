#pragma once

#include "config/settings.hpp"

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>

/// The one table of keys, which the file, the environment and the flags share.
namespace troupe::config {

/// A key's place in a `settings`.
using place =
  std::variant<bool*, std::uint32_t*, std::uint64_t*, double*, std::string*,
               std::filesystem::path*, std::vector<std::string>*,
               std::vector<std::filesystem::path>*,
               std::vector<std::uint32_t>*>;

/// Says what is wrong with one text, or nothing.
using text_check = std::string (*)(std::string_view text);

/// A key and what its value may be.
struct key {
  std::string_view name; ///< `section.key`
  place (*of)(settings& values);
  /// Numbers, also of a list: the range, both ends allowed.
  double min = 0;
  double max = std::numeric_limits<double>::infinity();
  /// Texts: each element is put through it.
  text_check check = nullptr;
};

[[nodiscard]] std::span<const key> keys() noexcept;
/// Null if there is none of this name.
[[nodiscard]] const key* find_key(std::string_view name) noexcept;

} // namespace troupe::config
