#pragma once

#include "config/result.hpp"
#include "media/errc.hpp"
#include "media/job_cost.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::media {

/// How far a job is, as its users see it.
struct progress {
  double fraction = -1;   ///< 0…1; negative: unknown
  std::string stage;      ///< "extract", "download", "merge", …
  std::int64_t done = 0;  ///< in `unit`
  std::int64_t total = 0; ///< in `unit`; 0: unknown
  std::string unit;       ///< "bytes", "steps", …
  double rate = 0;        ///< `unit` per second; 0: unknown
  double eta_s = -1;      ///< negative: unknown
  std::string message;

  bool operator==(const progress&) const = default;
};

/// A file that waits in the staging folder and the name it is to get. Both
/// lie on one file system.
struct staged_file {
  std::string staged;     ///< absolute
  std::string final_path; ///< absolute, in the library
  std::int64_t size = 0;
  std::string sha256;   ///< lower-case hex
  bool replace = false; ///< may take the place of another file (asked for)
  /// Which library it was staged in, see `library_id`; empty: not known.
  std::string library = {};

  bool operator==(const staged_file&) const = default;
};

/// Hears another job's result, a JSON object; on any thread. `source_not_found`
/// if there is none and will be none, `source_unavailable` if there may be one.
using result_heard = std::function<void(result<std::string>)>;

/// What an attempt is asked to do.
struct attempt_task {
  std::string id;          ///< of the job
  std::uint64_t epoch = 0; ///< of the claim; names the staging folder
  std::string type;        ///< "download", "noop", …
  /// JSON object. The type's schema has seen all of it but for what other
  /// jobs' results were put into.
  std::string params;
  std::string checkpoint;    ///< JSON that an earlier attempt left, or empty
  std::uint32_t attempt = 1; ///< 1 for the first
  bool urgent = false;       ///< somebody waits for its end
  std::filesystem::path library; ///< where results are published
  /// Asks for the result of a job. To be called in `start` alone: the attempt
  /// may outlive who answers. Empty: nobody can.
  std::function<void(const std::string& job, result_heard heard)> result_of =
    {};
};

/// It is done: files are staged and synced, `result` tells of them by their
/// final paths.
struct finished {
  std::string result;             ///< JSON object
  std::vector<staged_file> files; ///< main file last; may be empty
  attempt_usage used = {};
};

/// It is not done. `code` is one of `media::errc`'s words.
struct failure_report {
  errc code = errc::internal;
  std::string message;
  double retry_after_s = 0; ///< what the source asked for; 0: nothing
  /// Nothing was asked of the source: the attempt does not count, and comes
  /// again after `retry_after_s`.
  bool untried = false;
  attempt_usage used = {};

  bool operator==(const failure_report&) const = default;
};

/// Exactly one of them ends an attempt. After `cancel()`, `failure_report` of
/// code `cancelled` or `interrupted`.
using attempt_outcome = std::variant<finished, failure_report>;

/// A job that a running one makes.
struct child_job {
  std::string item; ///< names it among its siblings: named again, it is there
  std::string type;
  std::string params = "{}"; ///< JSON object, valid by the type's schema
  std::vector<std::string> tags = {};
  std::string unique_key = {};
};

/// Hears of an attempt. Called from any thread, never after `done`; returns
/// at once. Progress may be reported as often as it changes.
class attempt_sink {
public:
  virtual ~attempt_sink() = default;
  virtual void on_progress(const progress& now) = 0;
  /// The attempt is alive, though there may be nothing to tell: comes about
  /// once a second from start to end. A tool that neither computes nor moves
  /// bytes gives none.
  virtual void on_beat() {}
  /// `json` is what a later attempt needs in order to go on from here.
  void on_checkpoint(std::string json) {
    on_checkpoint(std::move(json), {});
  }
  /// The same, and the jobs that it has made since the last one: both are
  /// stored, or neither is, and then the attempt fails and runs again.
  virtual void on_checkpoint(std::string json,
                             std::vector<child_job> children) = 0;
  /// A line for the job's own log, of a tool or of the attempt itself.
  virtual void on_log(std::string_view line) = 0;
  virtual void on_done(attempt_outcome outcome) = 0;
};

/// One attempt at one job's work. It runs on threads of its own and blocks
/// nobody. Destroying it before `on_done` kills its processes like `cancel`.
class attempt {
public:
  virtual ~attempt() = default;
  /// Begins the work; called once. May call `on_done` before it returns.
  virtual void start() = 0;
  /// Ends the work and every process it started; `on_done` follows within two
  /// seconds, when they are reaped. `why` is `cancelled` (private files go) or
  /// `interrupted` (what a later attempt can continue from stays).
  virtual void cancel(errc why) = 0;
};

/// Makes attempts of one job type.
using attempt_factory = std::function<std::unique_ptr<attempt>(
  attempt_task, std::shared_ptr<attempt_sink>)>;

} // namespace troupe::media
