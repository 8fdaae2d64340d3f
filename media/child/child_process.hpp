#pragma once

#include "media/child/census.hpp"
#include "media/child/children.hpp"
#include "media/child/zygote_link.hpp"

#include <atomic>
#include <optional>
#include <span>

namespace troupe::media {

/// A pidfd; none with errno.
[[nodiscard]] descriptor open_process(pid_t pid);

/// Processor time of all threads of a process that is not reaped, so far.
[[nodiscard]] std::chrono::nanoseconds cpu_time(pid_t pid);

/// The owner's side of one child. Everything but construction and `silence`
/// runs on the io thread.
///
///     none ─run─► unborn ─ready─► idle ◄─run/end─► busy
///       ▲            └────────────┴─ kill, death ────┴──► dying ─reaped─┐
///       └──────────────────────────────────────────────────────────────┘
///
/// Invariants: `process_` is open from when a child is known, by its first word
/// or by the book of births, until it is reaped; `line_` is its line there
/// until then; `task_` is set from `run` until its `on_end`; `verdict_` is set
/// when its end is known but not yet told; `reading_` while its source has not
/// answered.
class child_process : public std::enable_shared_from_this<child_process> {
public:
  child_process(runtime& threads, std::shared_ptr<zygote_link> zygote,
                std::shared_ptr<child_census> census, child_life life,
                child_limits limits);

  void run(child_task task, child_listener listener);
  void stop(errc why);
  /// As `stop`, for good; nobody listens any more.
  void leave();
  /// Its listener hears no more. From any thread.
  void silence() {
    silent_ = true;
  }

private:
  enum class phase : std::uint8_t { none, unborn, idle, busy, dying };
  /// Whether its next frame is heard: yes; not until the listener gives back
  /// what it has; that, and a frame may be waiting.
  enum class credit : std::uint8_t { here, lent, awaited };
  using stream = boost::asio::posix::stream_descriptor;
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds birth_limit{20};
  /// Until another zygote may be there.
  static constexpr std::chrono::milliseconds birth_pause{10};

  // birth
  void begin();
  void bear();
  [[nodiscard]] bool ask_zygote();
  [[nodiscard]] bool find_born();
  void become_ready();
  void forget_birth();
  void give_up(std::string message);

  // frames
  void listen();
  void hear_some();
  [[nodiscard]] frame_credit lend();
  [[nodiscard]] std::span<char> room();
  [[nodiscard]] bool hear_one();
  void hear(received_frame& from);
  void hear_of_task(received_frame& from);
  void hear_progress(std::string_view payload);
  void hear_line(std::string_view line);
  void read_for(std::string_view payload);
  void give(std::uint32_t task, const result<std::string>& bytes);
  void take_part(const frame& part);
  void take_result(received_frame& from);
  void take_error(std::string_view payload);
  void lose_socket();
  void distrust(const char* why);

  // the task
  void send_task();
  void forget_result();
  void end_task(child_end end);
  void end_with(errc why, std::string message);
  void conclude(child_end end);

  // time
  void wake_at(clock::time_point when);
  void tick();
  void tick_unborn(clock::time_point now);
  void wake_for_task();
  [[nodiscard]] std::chrono::milliseconds cpu_left() const;

  // death
  void kill_it();
  void await_death();
  void reap();

  std::shared_ptr<zygote_link> zygote_;
  std::shared_ptr<child_census> census_;
  const child_life life_;
  const child_limits limits_;
  stream socket_;
  stream process_;
  std::optional<std::uint32_t> line_;
  pid_t pid_ = 0;       ///< while `process_` is open
  descriptor lifeline_; ///< its end kills the child
  boost::asio::steady_timer timer_;
  phase phase_ = phase::none;
  clock::time_point patience_at_; ///< then the zygote is taken for hung
  clock::time_point give_up_at_;  ///< then no child is born for the task
  clock::time_point kill_at_;     ///< what closed its socket and lives on
  std::uint32_t number_ = 0;      ///< of the newest task
  std::optional<child_task> task_;
  bool sent_ = false; ///< the task is with the child
  child_listener listener_;
  std::optional<child_end> verdict_;
  std::string result_;     ///< and room for its next part
  std::size_t filled_ = 0; ///< bytes of it that have come
  std::size_t whole_ = 0;  ///< and those that are announced
  std::size_t lines_ = 0;
  std::uint64_t done_ = 0; ///< of its newest progress
  bool reading_ = false;
  std::chrono::nanoseconds cpu_start_{}; ///< of the child, before the task
  std::uint64_t oom_kills_ = 0;          ///< of anybody, before the task
  clock::time_point stall_at_;
  clock::time_point life_at_;
  std::atomic<bool> silent_{false};
  std::shared_ptr<std::atomic<credit>> credit_; ///< of this child's life
};

} // namespace troupe::media
