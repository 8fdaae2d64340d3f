#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace troupe::media {

/// tests/origin/origin.py on 127.0.0.1 and 127.0.0.3, for one test. What goes
/// wrong with it fails the test.
class origin {
public:
  explicit origin(std::filesystem::path folder);
  ~origin();
  origin(const origin&) = delete;
  origin& operator=(const origin&) = delete;

  [[nodiscard]] std::string url(const std::string& path,
                                const std::string& host = "127.0.0.1") const;
  /// Makes a clip of so many seconds in the served folder.
  std::filesystem::path clip(const std::string& name, int seconds);
  /// Makes MPEG-TS segments of two seconds in the served folder `name`.
  void segments(const std::string& name, int seconds);
  /// What `/changing/…` shows from now on.
  void show_version(int version);
  /// The requests so far, as JSON.
  [[nodiscard]] std::string log() const;

private:
  std::filesystem::path folder_;
  pid_t process_ = -1;
  std::string port_;
};

/// Processes whose command line or working folder has `text`, as numbers.
[[nodiscard]] std::vector<std::string>
processes_naming(const std::string& text);

} // namespace troupe::media
