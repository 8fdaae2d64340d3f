#pragma once

#include "actors/messages.hpp"
#include "media/files/publish.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors {

/// What job actors stand on; tests put fakes here. All of it is thread-safe
/// and returns at once, but for what runs on file threads.
struct job_bench {
  /// Null for a type that this build has not.
  media::attempt_factory make_attempt;
  std::function<void(std::function<void()>)> on_file_thread;
  // On file threads:
  std::function<result<media::publish_outcome>(
    std::string result, const std::vector<media::staged_file>& manifest)>
    publish;
  std::function<void(const std::string& id, std::uint64_t epoch)>
    discard_staging;
  std::function<void(const std::string& id)> discard_job;
  std::filesystem::path library;
  /// Hears that an attempt is alive, on any thread; `over`: it has ended, and
  /// its outcome waits. May be empty.
  std::function<void(const std::string& id, const store::fence& fence,
                     bool over)>
    on_beat;
};

/// What a job actor hears from its attempt and its file work.
struct progress_news {};
struct log_news {};
struct checkpoint_news {
  std::string json;
  std::vector<media::child_job> children;
};
struct attempt_over {
  media::attempt_outcome outcome;
};
struct publish_over {
  result<media::publish_outcome> outcome;
};
/// Its timer: a stopped attempt has had its time.
struct stop_limit {};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::progress_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::log_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::checkpoint_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::attempt_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::publish_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stop_limit)

namespace troupe::actors {

using job_impl =
  job_actor::extend<caf::reacts_to<progress_news>,
                    caf::reacts_to<checkpoint_news>, caf::reacts_to<log_news>,
                    caf::reacts_to<attempt_over>, caf::reacts_to<publish_over>,
                    caf::reacts_to<stop_limit>>;

/// Carries what an attempt says, on whatever thread, to its actor. Progress
/// waits here, and so do lines for the job's log, so that at most one message
/// about each is under way; so does an end that comes before the attempt has
/// begun.
/// Invariant: after `close` nothing is sent.
class attempt_relay final : public media::attempt_sink {
public:
  /// @param beat called with each sign of life; thread-safe
  attempt_relay(job_impl actor, std::function<void()> beat)
    : beat_(std::move(beat)), actor_(std::move(actor)) {}

  void on_beat() override;
  void on_progress(const media::progress& now) override;
  using media::attempt_sink::on_checkpoint;
  void on_checkpoint(std::string json,
                     std::vector<media::child_job> children) override;
  void on_log(std::string_view line) override;
  void on_done(media::attempt_outcome outcome) override;

  /// The lines since the last call, as the job's log has them.
  [[nodiscard]] std::string take_log();
  /// The newest progress, once.
  [[nodiscard]] std::optional<media::progress> take_progress();
  /// The attempt has begun: from here on its end is a message.
  /// @return its end, if that came before
  [[nodiscard]] std::optional<media::attempt_outcome> begun();
  void close();

private:
  job_impl actor();

  const std::function<void()> beat_;
  std::mutex mutex_;
  job_impl actor_;
  std::optional<media::progress> newest_;
  bool told_ = false;
  bool begun_ = false;
  std::optional<media::attempt_outcome> early_end_; ///< before `begun_`
  std::string lines_;
  std::size_t left_out_ = 0; ///< lines that there was no room for
  bool lines_told_ = false;
};

/// State of the JOB ACTOR. Invariants:
/// - exactly one report leaves `working`, and one each `publishing`;
/// - it ends by `settled` (or when it is killed, as the attempt then is), or
///   with its report, if that says so: nothing of it is left then.
class job_state {
public:
  using self_ptr = job_impl::stateful_pointer<job_state>;

  static inline const char* name = "troupe.job";

  explicit job_state(self_ptr self) : self_(self) {}
  ~job_state();

  void start(std::shared_ptr<const job_bench> bench, job_ref job,
             bool publish_only, manager_actor manager);

  void stop(stop_attempt order);
  void publish(publish_order& order);
  void settle(settled word);
  void pass_progress();
  void pass_checkpoint(checkpoint_news& news);
  void pass_log();
  void end_attempt(attempt_over& over);
  void end_publishing(publish_over& over);
  void limit();

private:
  enum class phase : std::uint8_t { working, reported, publishing };

  void begin_attempt();
  void end_attempt(media::attempt_outcome outcome);
  void cancel(media::errc why);
  void send_progress();
  void send_log();
  void measure(media::attempt_usage& used) const;
  void report(media::attempt_outcome outcome);
  void discard_staging();
  void end(settled word);

  self_ptr self_;
  std::shared_ptr<const job_bench> bench_;
  job_ref job_;
  manager_actor manager_;
  std::shared_ptr<attempt_relay> relay_;
  std::unique_ptr<media::attempt> attempt_;
  phase phase_ = phase::working;
  std::optional<media::errc> stop_;
  std::optional<settled> last_word_; ///< came before the attempt was over
  bool staging_gone_ = false;
  bool left_files_ = false;  ///< there may be some below the library
  media::progress progress_; ///< the newest that was told
  std::chrono::steady_clock::time_point begun_at_;
  std::chrono::steady_clock::time_point progress_sent_;
  bool progress_armed_ = false;
  std::chrono::steady_clock::time_point log_sent_;
  bool log_armed_ = false;
};

/// Runs one attempt at a leased job, or finishes its publication only.
job_impl::behavior_type run_job(job_state::self_ptr self,
                                std::shared_ptr<const job_bench> bench,
                                job_ref job, bool publish_only,
                                manager_actor manager);

} // namespace troupe::actors
