#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::net {

/// A request's target (RFC 9112, 3.2), taken apart and percent-decoded.
struct target {
  /// The path's parts between slashes; `/v1/jobs` is `{"v1", "jobs"}` and `/`
  /// is `{}`. Valid UTF-8, no NUL.
  std::vector<std::string> segments;
  /// In the order written; `+` is a space. Valid UTF-8.
  std::vector<std::pair<std::string, std::string>> query;
  std::string_view path; ///< as written, without the query
  /// `host[:port]` of an absolute-form target; empty for others.
  std::string_view authority;
};

/// Takes an origin-form or absolute-form target, or `*`. False for anything
/// else: characters that do not belong in a URL, broken percent escapes, bytes
/// that are not UTF-8, a user's name, more than 1024 segments or 64 query
/// parameters.
/// @pre `text` outlives `out`.
[[nodiscard]] bool parse_target(std::string_view text, target& out);

} // namespace troupe::net
