#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::media {

/// Cuts a stream of bytes into lines. Invariant: holds at most one line, of at
/// most the limit; what a longer line has beyond it is dropped.
class line_splitter {
public:
  explicit line_splitter(std::size_t limit) : limit_(limit) {}

  /// @param hear called with each line that ends in `bytes`, newline removed.
  template <class Hear>
  void feed(std::string_view bytes, Hear&& hear) {
    for (;;) {
      const auto end = bytes.find('\n');
      append(bytes.substr(0, end));
      if (end == std::string_view::npos)
        return;
      hear(std::string_view{line_});
      line_.clear();
      bytes.remove_prefix(end + 1);
    }
  }

  /// The last line, if it had no newline.
  template <class Hear>
  void finish(Hear&& hear) {
    if (!line_.empty())
      hear(std::string_view{line_});
    line_.clear();
  }

private:
  void append(std::string_view part) {
    line_.append(part.substr(0, limit_ - line_.size()));
  }

  std::size_t limit_;
  std::string line_;
};

} // namespace troupe::media
