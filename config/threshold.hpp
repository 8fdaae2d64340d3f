#pragma once

#include <optional>
#include <string_view>

namespace troupe::config {

/// When an alert is raised and cleared.
struct threshold {
  double raise = 0;
  double clear = 0;
  double for_s = 0; ///< how long a figure has to stand there

  /// Low figures raise it; else high ones do.
  [[nodiscard]] bool is_floor() const noexcept {
    return raise < clear;
  }
};

/// Reads `RAISE CLEAR SECONDS`; none of them is negative.
[[nodiscard]] std::optional<threshold> parse_threshold(std::string_view text);

} // namespace troupe::config
