#pragma once

#include "media/attempt.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// What became of one source, as a line of JSON.
[[nodiscard]] std::string line_of(const std::string& source,
                                  const std::vector<std::string>& files,
                                  const std::string& error);

/// How far a batch is. Invariant: `lines_[i]` is set when source `i` is done,
/// and all before `done_` are; `settled_` of all are.
class batch_ledger {
public:
  batch_ledger() = default;
  /// @param known lines of the first sources, which an earlier attempt did
  batch_ledger(std::size_t sources, std::vector<std::string> known);

  void settle(std::size_t source, std::string line);

  /// All sources before it are done.
  [[nodiscard]] std::size_t done() const noexcept {
    return done_;
  }
  [[nodiscard]] bool is_whole() const noexcept {
    return settled_ == lines_.size();
  }
  [[nodiscard]] progress now() const;

  /// The lines before `done()` that were not taken yet.
  [[nodiscard]] std::string take_fresh();
  [[nodiscard]] std::string text() const;

  /// The job's result.
  /// @param index where `text()` is published
  [[nodiscard]] std::string result_of(const std::string& folder,
                                      const staged_file& index) const;

private:
  std::vector<std::string> lines_;
  std::size_t done_ = 0;
  std::size_t settled_ = 0;
  std::size_t failed_ = 0;
  std::size_t taken_ = 0;
};

} // namespace troupe::media
