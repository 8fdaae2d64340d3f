#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::store {

/// One bounded step of looking for what cannot be.
struct audit_request {
  bool repair = false;      ///< mends what it finds
  std::string cursor;       ///< `next_cursor` of the step before; empty: begin
  std::uint32_t max = 1000; ///< rows to look at
  /// What looks at a whole file at once gives up then; 0: never.
  std::int64_t file_ms = 0;
};

/// An invariant that does not hold.
struct audit_finding {
  std::string invariant; ///< in one word, such as `head`
  std::string subject;   ///< id of the job, name of the queue, …
  std::string detail;
  bool repaired = false;
};

struct audit_result {
  std::vector<audit_finding> findings;
  std::uint64_t looked_at = 0;
  bool gave_up = false;    ///< the file was not read to its end
  std::string next_cursor; ///< empty at the end
};

} // namespace troupe::store
