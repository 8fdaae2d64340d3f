#pragma once

#include "config/keys.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// From what was written to a key's value.
namespace troupe::config {

/// A value as a source has it; `monostate`: of no form that any key takes.
using written =
  std::variant<std::monostate, bool, std::int64_t, double, std::string,
               std::vector<std::string>, std::vector<std::int64_t>>;

/// What `text` means for a key: a number where it takes one, and so on. A list
/// is split at commas.
[[nodiscard]] written read_text(const key& which, std::string_view text);

/// Sets the key if the value fits. @returns all that is wrong, or nothing.
[[nodiscard]] std::vector<std::string>
assign(const key& which, const written& value, settings& into);

} // namespace troupe::config
