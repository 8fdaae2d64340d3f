#pragma once

#include <string>

namespace troupe::cli {

/// Tells what `doctor` finds, and remembers the worst: a line each as it is
/// found, or all of it at the end as JSON.
class findings {
public:
  explicit findings(bool as_json = false) : as_json_{as_json} {}

  void ok(const std::string& what, const std::string& detail = {});
  /// @param remedy what to do about it.
  void warn(const std::string& what, const std::string& detail,
            const std::string& remedy = {});
  void fail(const std::string& what, const std::string& detail,
            const std::string& remedy = {});

  [[nodiscard]] bool failed() const noexcept {
    return failed_;
  }

  /// Prints what has not been; the exit code.
  int finish();

private:
  void add(const char* mark, const std::string& what, const std::string& detail,
           const std::string& remedy);
  void line(const char* mark, const std::string& what,
            const std::string& detail, const std::string& remedy);

  bool as_json_;
  bool failed_ = false;
  std::string json_; ///< the members of an array, without its brackets
};

} // namespace troupe::cli
