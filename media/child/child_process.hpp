#pragma once

#include "media/child/census.hpp"
#include "media/child/children.hpp"
#include "media/child/zygote_link.hpp"

#include <atomic>
#include <optional>

namespace troupe::media {

/// A pidfd; none with errno.
[[nodiscard]] descriptor open_process(pid_t pid);

/// The owner's side of one child. Everything but construction and `silence`
/// runs on the io thread.
///
///     none ─run─► unborn ─ready─► idle ◄─run/end─► busy
///       ▲            └────────────┴─ kill, death ────┴──► dying ─reaped─┐
///       └──────────────────────────────────────────────────────────────┘
///
/// Invariants: `process_` is open from a child's first word until it is
/// reaped; `task_` is set from `run` until its `on_end`; `verdict_` is set
/// when its end is known but not yet told.
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
  using stream = boost::asio::posix::stream_descriptor;
  using clock = std::chrono::steady_clock;

  // birth
  void begin();
  void bear();
  [[nodiscard]] bool ask_zygote();
  void meet(received_frame& from);
  void give_up(std::string message);

  // frames
  void listen();
  void hear_some();
  [[nodiscard]] bool hear_one();
  void hear(received_frame& from);
  void hear_of_task(received_frame& from);
  void hear_line(std::string_view line);
  void take_part(std::string_view bytes);
  void take_result(received_frame& from);
  void take_error(std::string_view payload);
  void lose_socket();
  void distrust(const char* why);

  // the task
  void send_task();
  void end_task(child_end end);
  void end_with(errc why, std::string message);
  void conclude(child_end end);

  // time
  void wake_at(clock::time_point when);
  void tick();
  void tick_unborn(clock::time_point now);

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
  std::string result_;
  std::size_t lines_ = 0;
  clock::time_point stall_at_;
  clock::time_point life_at_;
  std::atomic<bool> silent_{false};
};

} // namespace troupe::media
