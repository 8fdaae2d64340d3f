#pragma once

#include "media/attempt.hpp"
#include "media/download/output.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// A format that will be fetched; size -1 where the source tells none.
struct expected_part {
  std::string format;
  std::int64_t size = -1;
};

/// Makes one attempt's progress out of what its steps tell: bytes summed over
/// the formats. Invariant: `done` never falls and is never above a known
/// `total`; the fraction is unknown exactly while the total is, and never falls
/// from one known value to the next.
class progress_meter {
public:
  progress_meter();

  /// The extract step is over, this will be fetched.
  void expect(const std::vector<expected_part>& parts);
  void fetched(const fetch_line& line);
  /// A later step began: "merge", "postprocess", "publish", …
  void enter(std::string_view stage);

  [[nodiscard]] const progress& now() const noexcept {
    return now_;
  }

private:
  struct part {
    std::string format;
    std::int64_t done = 0;
    std::int64_t size = -1;
    bool estimated = true;
  };

  part& part_of(const std::string& format);
  void sum(double rate);

  std::vector<part> parts_;
  progress now_;
  double highest_ = 0; ///< fraction told so far
};

/// The stage that a postprocessor's work belongs to; empty for those that do
/// nothing worth telling.
[[nodiscard]] std::string_view stage_of(const postprocess_line& line) noexcept;

} // namespace troupe::media
