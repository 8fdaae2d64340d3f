#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// What tells one version of a format's bytes from another.
struct part_state {
  std::string format;
  std::int64_t length = -1;  ///< -1: the source tells none
  std::string etag;          ///< strong ones only (RFC 9110, 8.8.3)
  std::string last_modified; ///< only where it is strong (8.8.2.2)

  bool operator==(const part_state&) const = default;
  [[nodiscard]] bool has_validator() const noexcept {
    return !etag.empty() || !last_modified.empty();
  }
};

/// What one attempt fetches from: the checkpoint of a `download` job.
struct source_state {
  std::string shape; ///< how the parts become files: selector and format
  std::vector<part_state> parts;

  bool operator==(const source_state&) const = default;
};

[[nodiscard]] std::string to_json(const source_state& state);
/// Nothing if the text is no state, as in a first attempt.
[[nodiscard]] std::optional<source_state>
read_source_state(std::string_view json);

/// True if bytes fetched from `before` may be continued from `now`: the same
/// parts, each with a validator, none changed. A part that nothing vouches for
/// is fetched anew.
[[nodiscard]] bool may_continue(const source_state& before,
                                const source_state& now);

} // namespace troupe::media
