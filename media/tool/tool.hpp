#pragma once

#include "config/result.hpp"
#include "media/errc.hpp"
#include "media/job_cost.hpp"
#include "media/runtime.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// What each process of a tool may take; 0: no limit.
struct tool_limits {
  std::uint64_t memory = 0;    ///< bytes of private memory (RLIMIT_DATA)
  std::uint64_t file_size = 0; ///< bytes of one file (RLIMIT_FSIZE)
  std::uint32_t files = 512;   ///< open descriptors (RLIMIT_NOFILE)
};

/// A program to run under `troupe tool-guard`.
struct tool_command {
  std::vector<std::string> argv; ///< argv[0] is an absolute path
  /// NAME=value; nothing is inherited. HOME, TMPDIR, PATH, LANG and
  /// PYTHONDONTWRITEBYTECODE have values unless they are given here.
  std::vector<std::string> environment;
  std::filesystem::path folder; ///< its working folder, HOME and TMPDIR
  /// Held by the guard for as long as anything of the tree lives; a guard of
  /// an earlier attempt is waited for. Empty: no lock.
  std::filesystem::path lock_file;
  /// Beside /usr, /etc and argv[0]. All else is closed to the tool where the
  /// kernel has Landlock, and only `folder` may be written.
  std::vector<std::filesystem::path> readable;
  /// The only TCP port it may connect to (Landlock ABI 4); 0: any.
  std::uint16_t connect_port = 0;
  int nice = 10;
  tool_limits limits;
  /// What is longer is cut; the rest of that line is dropped.
  std::size_t max_line = 16u << 20;
};

/// How a tool ended.
struct tool_exit {
  int status = 0;          ///< exit code, if `signal` is 0
  int signal = 0;          ///< that ended it
  std::string guard_error; ///< the guard could not start it, and why
  attempt_usage used = {}; ///< CPU and memory of the whole tree
};

/// Hears a tool, on the runtime's io thread; never after `on_exit`. A tool that
/// writes faster than it is heard has to wait. Empty functions are fine.
struct tool_listener {
  std::function<void(std::string_view)> on_output_line; ///< stdout, no newline
  std::function<void(std::string_view)> on_error_line;  ///< stderr
  std::function<void(tool_exit)> on_exit; ///< the whole tree is reaped
};

/// A running tool and everything that it started. Destroying it kills the
/// tree, without waiting, and its listener hears no more (save a call that is
/// under way on the io thread meanwhile).
class tool {
public:
  virtual ~tool() = default;
  /// SIGTERM to the tree, SIGKILL after `grace`; `on_exit` follows.
  /// Thread-safe.
  virtual void stop(std::chrono::milliseconds grace) = 0;
  /// A number that changes while anything of the tree computes or moves
  /// bytes. On the io thread.
  [[nodiscard]] virtual std::uint64_t activity() const = 0;
};

/// Starts programs. Thread-safe.
class tool_runner {
public:
  /// @param guard the `troupe` executable, run as `troupe tool-guard`.
  tool_runner(runtime& threads, std::filesystem::path guard);
  /// Kills what still runs and waits until it is reaped, three seconds at
  /// most. Not on the io thread.
  ~tool_runner();

  /// `tool_missing` if argv[0] cannot be run, `io_error` otherwise. What goes
  /// wrong later, such as a missing folder, is in `tool_exit::guard_error`.
  [[nodiscard]] result<std::unique_ptr<tool>> run(tool_command command,
                                                  tool_listener listener);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The program `name` as an absolute path: itself if it has a slash, else
/// looked up in PATH. Empty if there is none that can be executed.
[[nodiscard]] std::filesystem::path find_program(const std::string& name);

/// The version of the kernel's Landlock; 0: none, tools are not confined.
[[nodiscard]] int landlock_abi();

/// `main` of `troupe tool-guard`; returns the process's exit code.
int tool_guard_main(int argc, char** argv);

} // namespace troupe::media
