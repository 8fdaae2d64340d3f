#pragma once

#include "config/result.hpp"
#include "media/attempt.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// Where a job stands. Append only: values are stored. `publishing` is no
/// state of its own outside: see `job::publishing`.
enum class job_state : std::uint8_t {
  scheduled, ///< `run_at` lies ahead
  blocked,   ///< waits for `depends_on`
  queued,    ///< ready
  running,   ///< leased to an attempt
  paused,
  cancelling, ///< was running, its attempt has been told
  succeeded,
  failed, ///< dead letter
  cancelled,
};
inline constexpr std::size_t job_state_count = 9;

[[nodiscard]] std::string_view to_string(job_state state) noexcept;
/// @return false when `text` names no state.
[[nodiscard]] bool from_string(std::string_view text, job_state& out) noexcept;

/// True for succeeded, failed and cancelled.
[[nodiscard]] constexpr bool is_terminal(job_state state) noexcept {
  return state >= job_state::succeeded;
}

/// How safe an acknowledged submit is; see "durability" in the API document.
enum class durability : std::uint8_t { memory, interval, disk, replica, local };

[[nodiscard]] std::string_view to_string(durability level) noexcept;
[[nodiscard]] bool from_string(std::string_view text, durability& out) noexcept;

/// What becomes of a job when one that it depends on fails or is cancelled.
enum class parent_policy : std::uint8_t {
  fail,   ///< it fails with code `parent_failed`
  cancel, ///< it is cancelled
  run,    ///< it goes on as if that one had succeeded
};

[[nodiscard]] std::string_view to_string(parent_policy policy) noexcept;
[[nodiscard]] bool from_string(std::string_view text,
                               parent_policy& out) noexcept;

/// How long to wait before another attempt: `initial_s · factor^(n-1)`, at
/// most `max_s`, spread by ±`jitter` of itself.
struct backoff {
  double initial_s = 5;
  double factor = 2;
  double max_s = 600;
  double jitter = 0.2;

  bool operator==(const backoff&) const = default;
};

/// One attempt's failure.
struct job_error {
  std::string code;
  std::string message;
  bool retryable = false;
  std::uint32_t attempt = 0;

  bool operator==(const job_error&) const = default;
};

/// What happened to a job. Append only: values are stored.
enum class note_kind : std::uint8_t {
  left_out,   ///< `number` older notes
  started,    ///< attempt `number`, on the node `text`
  failed,     ///< an attempt, with `errors[number]`
  ended,      ///< for a while, failed with `errors[number]`
  cancelled,  ///< ended so, for a while
  given_back, ///< attempt `number`, without an outcome
  pause_asked,
  paused,
  resumed,
  cancel_asked,
  retried,
  taken_over, ///< its publication, by the node `text`
};

/// One line of a job's log, until it is told in words.
struct job_note {
  timestamp_ms time = 0;
  note_kind kind = note_kind::left_out;
  std::uint32_t number = 0;
  std::string text;

  bool operator==(const job_note&) const = default;
};

/// What a client asks for; the store adds the rest.
struct job_draft {
  std::string id;            ///< minted by the queue: a ULID, time-ordered
  std::string type;          ///< "download", …
  std::string queue;         ///< the pool that works on this type
  std::int32_t priority = 5; ///< 0…9, 9 first
  std::string params = "{}"; ///< JSON object, valid by the type's schema
  std::vector<std::string> tags;
  std::string owner;
  std::string batch;
  std::string parent;
  timestamp_ms run_at = 0;   ///< 0: at once
  std::int64_t delay_ms = 0; ///< after now by the store's time; 0: none
  double timeout_s = 3600;   ///< of one attempt
  std::uint32_t max_attempts = 3;
  struct backoff backoff;
  std::string unique_key;      ///< empty: none
  std::string concurrency_key; ///< its group; empty: the queue's common one
  std::string callback_url;
  std::string request_id;  ///< of the request that it came with
  std::string traceparent; ///< of the same (W3C Trace Context), or empty
  /// Jobs that end before this one is ready. Where its `params` hold
  /// `{{job:ID.source}}` or `{{job:ID.result.FIELD}}`, ID one of these, the
  /// store puts in what it names once all have ended.
  std::vector<std::string> depends_on;
  parent_policy on_parent_failure = parent_policy::fail;
  /// Somebody waits for its end, so long after it was created; 0: nobody does.
  /// Such a job goes before all others, the earliest deadline first.
  std::int64_t deadline_ms = 0;

  bool operator==(const job_draft&) const = default;
};

/// A claim's proof, compared for equality. An epoch alone repeats when a store
/// loses its tail; the nonce does not.
struct fence {
  std::uint64_t epoch = 0; ///< counts the claims of one job
  std::uint64_t nonce = 0; ///< random, never 0 in a claim

  bool operator==(const fence&) const = default;
};

/// A job as stored.
struct job : job_draft {
  job_state state = job_state::queued;
  /// Number of the newest attempt, 0 before the first. One that costs nothing
  /// passes its number on to the next.
  std::uint32_t attempt = 0;
  std::uint64_t revision = 0; ///< raised by every stored transition
  media::progress progress;
  std::string result;            ///< JSON object, or empty
  std::string checkpoint;        ///< JSON of the newest attempt that left one
  std::vector<job_error> errors; ///< one per failed attempt, oldest first
  std::string node;              ///< where it runs or ran
  timestamp_ms created_at = 0;
  timestamp_ms started_at = 0;  ///< of the newest attempt
  timestamp_ms finished_at = 0; ///< set exactly when the state is terminal
  durability reached = durability::memory;

  // Not shown to clients.
  struct fence fence;           ///< of the newest claim
  timestamp_ms lease_until = 0; ///< set exactly while leased
  std::uint32_t losses = 0;     ///< attempts lost with their node
  bool publishing = false;      ///< committed: only rolls forward from here
  std::vector<media::staged_file> manifest; ///< set exactly while publishing
  std::uint32_t pending = 0; ///< of `depends_on`, those that have not ended
  std::uint32_t crashes = 0; ///< attempts whose codec child crashed
  bool pausing = false;      ///< running, but its attempt is to stop
  bool followed = false;     ///< other jobs depend on it, or did
  bool uncounted = false;    ///< the next attempt has the number of this one
  /// What its log does not tell yet and nothing else here tells, oldest first.
  /// A job that is submitted, starts and ends has none.
  std::vector<job_note> notes;
  std::uint64_t start_told = 0; ///< epoch of the newest start told there

  bool operator==(const job&) const = default;
};

} // namespace troupe::store
