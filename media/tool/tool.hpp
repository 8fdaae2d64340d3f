#pragma once

#include "config/result.hpp"
#include "media/errc.hpp"
#include "media/runtime.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// A program to run under `troupe tool-guard`.
struct tool_command {
  std::vector<std::string> argv;        ///< argv[0] is an absolute path
  std::vector<std::string> environment; ///< NAME=value; nothing is inherited
  std::filesystem::path folder;         ///< its working folder, HOME and TMPDIR
  /// Held by the guard for as long as anything of the tree lives; a guard of
  /// an earlier attempt is waited for. Empty: no lock.
  std::filesystem::path lock_file;
  std::vector<std::filesystem::path> readable; ///< beside /usr, /etc and such
  int nice = 10;
};

/// How a tool ended.
struct tool_exit {
  int status = 0;          ///< exit code, if `signal` is 0
  int signal = 0;          ///< that ended it
  std::string guard_error; ///< the guard could not start it, and why
};

/// Hears a tool, on the runtime's io thread; never after `on_exit`.
struct tool_listener {
  std::function<void(std::string_view)> on_output_line; ///< stdout, no newline
  std::function<void(std::string_view)> on_error_line;  ///< stderr
  std::function<void(tool_exit)> on_exit; ///< the whole tree is reaped
};

/// A running tool and everything that it started. Destroying it kills the
/// tree, without waiting.
class tool {
public:
  virtual ~tool() = default;
  /// SIGTERM to the tree, SIGKILL after `grace`; `on_exit` follows.
  /// Thread-safe.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

/// Starts programs. Thread-safe.
class tool_runner {
public:
  /// @param guard the `troupe` executable, run as `troupe tool-guard`.
  tool_runner(runtime& threads, std::filesystem::path guard);
  ~tool_runner();

  /// `tool_missing` if argv[0] cannot be run, `io_error` otherwise.
  [[nodiscard]] result<std::unique_ptr<tool>> run(tool_command command,
                                                  tool_listener listener);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The program `name` as an absolute path: itself if it has a slash, else
/// looked up in PATH. Empty if there is none that can be executed.
[[nodiscard]] std::filesystem::path find_program(const std::string& name);

/// `main` of `troupe tool-guard`; returns the process's exit code.
int tool_guard_main(int argc, char** argv);

} // namespace troupe::media
