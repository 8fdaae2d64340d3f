#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace troupe::net {

/// What a client that follows a job's log has not seen of it. A log grows at
/// its end. Of what was there some goes: the oldest lines of a large log, and
/// those of many notes, in whose place a line tells how many they were.
class log_tail {
public:
  /// The lines of the log behind the newest one that was there before.
  /// @param text all of the log, as it is now
  [[nodiscard]] std::string_view news_in(std::string_view text);

private:
  std::vector<std::size_t> seen_; ///< hashes of the newest text's lines
};

} // namespace troupe::net
