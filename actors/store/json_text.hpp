#pragma once

#include "config/result.hpp"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

/// Writing JSON (RFC 8259) straight into a string, for what is written often.
namespace troupe::json {

/// Appends `text` in quotes. Bytes that are no UTF-8 become U+FFFD, so that
/// what is appended is always valid.
void append_string(std::string& out, std::string_view text);

/// Appends the shortest text that reads back as `value`; `null` if it is not
/// finite.
void append_number(std::string& out, double value);

void append_number(std::string& out, std::int64_t value);
void append_number(std::string& out, std::uint64_t value);

template <std::integral T>
void append_number(std::string& out, T value) {
  if constexpr (std::signed_integral<T>)
    append_number(out, static_cast<std::int64_t>(value));
  else
    append_number(out, static_cast<std::uint64_t>(value));
}

/// Appends RFC 3339 UTC with milliseconds, in quotes; `null` for 0.
void append_time(std::string& out, timestamp_ms time);

/// Appends `text` in quotes, or `null` if it is empty.
void append_optional(std::string& out, std::string_view text);

} // namespace troupe::json
