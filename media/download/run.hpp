#pragma once

#include "media/child/child_step.hpp"
#include "media/download/command.hpp"
#include "media/download/error_rules.hpp"
#include "media/download/look.hpp"
#include "media/download/meter.hpp"
#include "media/download/params.hpp"
#include "media/download/services.hpp"
#include "media/download/source_info.hpp"
#include "media/download/source_state.hpp"
#include "media/download/step.hpp"
#include "media/download/tool_step.hpp"
#include "media/download/work_files.hpp"
#include "media/probe/facts.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::media {

/// One attempt's work, a coroutine on the io thread:
///
///     prepare → extract → look → fetch → probe → stage
///
/// Each step ends the attempt by returning a failure. Invariants: everything
/// but construction, `start`, `stop` and `abandon` runs on the io thread or,
/// awaited by it, on a file thread; at most one tool runs at a time; the sink
/// hears `on_done` once, last, when no tool is left.
class download_run : public std::enable_shared_from_this<download_run> {
public:
  download_run(const download_services& services, attempt_task task,
               std::shared_ptr<attempt_sink> sink);

  void start();
  /// Ends the work with `why`, unless it has ended.
  void stop(errc why);
  /// As `stop(interrupted)`, but nobody is told any more.
  void abandon();

private:
  template <class T>
  using later = boost::asio::awaitable<T>;

  void conclude(attempt_outcome outcome);
  void note_pause(const attempt_outcome& outcome);

  [[nodiscard]] later<void> work();
  [[nodiscard]] later<step<finished>> steps();

  [[nodiscard]] later<step<void>> prepare();
  [[nodiscard]] later<step<void>> extract();
  [[nodiscard]] later<step<void>> extract_from(std::string url);
  [[nodiscard]] later<step<void>> look();
  [[nodiscard]] later<step<void>> fetch();
  [[nodiscard]] later<failure_report> blame(failure_report why);
  [[nodiscard]] later<step<void>> check_unchanged();
  [[nodiscard]] later<step<media_facts>> probe(std::filesystem::path file);
  [[nodiscard]] later<child_end> ask_child(descriptor file);
  [[nodiscard]] later<step<finished>> stage();
  /// Set if the file is there already and may stay.
  [[nodiscard]] later<step<std::optional<finished>>> skip();

  [[nodiscard]] later<source_look> look_once();
  [[nodiscard]] later<step<tool_end>> run_tool(tool_command command,
                                               tool_step::on_line out,
                                               tool_step::on_line err,
                                               std::chrono::seconds limit);
  [[nodiscard]] later<void> clean_up(const attempt_outcome& outcome);

  [[nodiscard]] step<void> take_params();
  [[nodiscard]] step<void> take_source(const std::string& text);
  [[nodiscard]] step<void> judge_fetch(const tool_end& end);
  [[nodiscard]] ytdlp_call call() const;
  [[nodiscard]] tool_command command(std::vector<std::string> argv) const;
  void open_account(std::uint64_t max_bytes, std::uint64_t rate);
  void close_account();
  void hear(std::string_view line);
  void note(std::string_view line);
  void report();
  [[nodiscard]] source_state state() const;
  [[nodiscard]] std::vector<expected_part> expected() const;
  [[nodiscard]] step<void> settle_parts();

  /// A look under way; shared with its thread's last word.
  struct pending_look {
    explicit pending_look(runtime& threads) : wake(threads.io()) {}
    boost::asio::steady_timer wake;
    source_look seen;
  };

  void end_what_runs();
  void beat();

  const download_services& services_;
  const attempt_task task_;
  std::shared_ptr<attempt_sink> sink_; ///< null once abandoned or done
  const std::filesystem::path work_;
  std::shared_ptr<tool_step> tool_;
  std::shared_ptr<child_step> child_;
  std::shared_ptr<pending_look> pending_; ///< set exactly during a look
  errc stopping_ = errc::none;            ///< why it was told to end
  boost::asio::steady_timer heart_;

  // What the steps leave, in their order.
  download_params params_;
  std::vector<std::string> launcher_;
  std::string ffmpeg_;
  std::unique_ptr<egress_account> account_; ///< of the step under way
  source_info source_;
  source_look look_;
  progress_meter meter_;
  error_lines said_; ///< by the tool under way
  attempt_usage used_;
  bool resumed_ = false;
  bool refused_size_ = false;
  work::found_files files_;
};

} // namespace troupe::media
