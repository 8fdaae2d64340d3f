#pragma once

#include "config/result.hpp"
#include "media/child/child_source.hpp"
#include "media/child/frame.hpp"
#include "media/child/order.hpp"
#include "media/errc.hpp"
#include "media/runtime.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::media {

/// What a codec child is to do.
struct child_task {
  std::string name;   ///< "probe", …
  std::string params; ///< without a zero byte before; form as the task wants
  std::vector<descriptor> files; ///< handed over; at most `max_files`
  /// What it may read by asking; null: it may not ask.
  std::shared_ptr<child_source> source;
  /// Without progress, while nobody is waited for; then `timeout`. Progress is
  /// a `done` that has changed, a part of the result, a read.
  std::chrono::milliseconds stall{10'000};
  std::chrono::milliseconds life{60'000}; ///< in all; then `timeout`
  std::chrono::milliseconds cpu{60'000};  ///< of all its threads; the same
  std::size_t max_result = 4u << 20;      ///< bytes
};

/// What a child used, for its task.
struct child_usage {
  double cpu_s = 0;
  std::uint64_t max_memory = 0; ///< bytes, resident
};

/// How a task ended.
struct child_end {
  /// `none`: there is a result. `crashed`: the child died of what it did, or
  /// broke the protocol. `killed`: somebody else sent it a signal. `sandbox`:
  /// it called what no codec calls. `memory`: so said the task, or the kernel
  /// killed it for want of it. `timeout`, what `stop` was given, or what the
  /// task said.
  errc code = errc::none;
  std::string message;
  std::string result;
  std::vector<descriptor> files;
  child_usage usage; ///< of a lasting child: processor time alone
};

/// The child is gone, and another may do what it could not.
[[nodiscard]] constexpr bool died(errc code) noexcept {
  return code == errc::crashed || code == errc::killed || code == errc::sandbox
         || code == errc::memory;
}

/// Leave to be heard again, given back by destroying it, on any thread. While
/// a listener keeps it, its child's frames wait, and then the child does: of
/// one child at most one frame is on its way to its owner's mailbox.
using frame_credit = std::shared_ptr<void>;

/// Hears of a task, on the io thread. Nothing after `on_end`, which comes
/// once. Empty functions are fine but for `on_end`.
struct child_listener {
  std::function<void(const child_progress&, frame_credit)> on_progress;
  std::function<void(std::string_view, frame_credit)> on_log;
  std::function<void(child_end)> on_end;
};

/// How long a child serves.
enum class child_life : std::uint8_t {
  one_task, ///< killed after it, and reaped before `on_end`
  lasting   ///< one task after the other; a dead one is born anew for the next
};

/// Who gets the processor first where not all can have it.
enum class child_rank : std::uint8_t {
  waited_for, ///< nice 0
  batch       ///< nice 10: whoever is waited for goes before it
};

/// A place for one codec child, which is born for its first task. Destroying
/// it kills the child and silences its listener. Thread-safe.
class codec_child {
public:
  virtual ~codec_child() = default;
  /// @pre no other task is under way.
  virtual void run(child_task task, child_listener listener) = 0;
  /// Ends the task under way with `why` by killing the child; `on_end` follows
  /// when it is reaped.
  virtual void stop(errc why) = 0;
};

/// One layer of a child's sandbox: "seccomp", "landlock", …
struct sandbox_layer {
  std::string name;
  bool active = false;
  std::string why_not;
};

using sandbox_told = std::function<void(result<std::vector<sandbox_layer>>)>;

/// All codec children of this process and the zygote that bears them.
/// Thread-safe.
class codec_children {
public:
  /// @param program the `troupe-codec` executable.
  /// @param limits of every child.
  /// @param oom_events where the kernel counts whom it killed for want of
  /// memory (`memory.events`); empty: of the children's own control group
  codec_children(runtime& threads, std::filesystem::path program,
                 child_limits limits = {}, child_views views = {},
                 std::filesystem::path oom_events = {});
  /// Kills what still runs and waits until it is reaped, three seconds at
  /// most. Not on the io thread.
  ~codec_children();

  /// @param writes bytes that it may write to a file that it is given
  [[nodiscard]] std::unique_ptr<codec_child>
  open(child_life life, child_profile profile = child_profile::media,
       child_rank rank = child_rank::waited_for, std::uint64_t writes = 0);

  /// Bears a child to see what it is confined by; tells it on the io thread.
  void describe_sandbox(sandbox_told done,
                        child_profile profile = child_profile::media);
  /// The same, waited for; not on the io thread.
  [[nodiscard]] result<std::vector<sandbox_layer>>
  describe_sandbox(child_profile profile = child_profile::media);

  /// Of the zygote that lives; 0: none, until it is replaced.
  [[nodiscard]] pid_t zygote() const noexcept;
  /// That live or are not reaped.
  [[nodiscard]] std::size_t count() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::media
