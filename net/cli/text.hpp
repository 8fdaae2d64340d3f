#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Texts for a terminal.
namespace troupe::cli {

/// The text as it may go to a terminal: no control characters (a title could
/// hold escape sequences), no broken UTF-8.
[[nodiscard]] std::string printable(std::string_view text);

/// Columns that a printable text takes: 2 for wide characters, 0 for
/// combining ones.
[[nodiscard]] std::size_t columns(std::string_view text);

/// At most `width` columns of it, with an ellipsis where it was cut.
[[nodiscard]] std::string clip(std::string_view text, std::size_t width);

/// Filled up with spaces to `width` columns.
[[nodiscard]] std::string pad(std::string text, std::size_t width);

/// `17 B`, `3.4 MiB`.
[[nodiscard]] std::string bytes_text(double bytes);
/// `0:07`, `1:02:03`, `2d 3h`.
[[nodiscard]] std::string duration_text(double seconds);

} // namespace troupe::cli
