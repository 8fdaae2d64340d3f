#pragma once

#include <cstdint>
#include <string>

namespace troupe::cli {

/// Prints what `doctor` finds, a line each, and remembers the worst.
class findings {
public:
  void ok(const std::string& what, const std::string& detail = {});
  /// @param remedy what to do about it.
  void warn(const std::string& what, const std::string& detail,
            const std::string& remedy = {});
  void fail(const std::string& what, const std::string& detail,
            const std::string& remedy = {});

  [[nodiscard]] bool failed() const noexcept {
    return failed_;
  }

private:
  void line(const char* mark, const std::string& what,
            const std::string& detail, const std::string& remedy);

  bool failed_ = false;
};

} // namespace troupe::cli
