#include "actors/job_run.hpp"

#include "actors/job_log.hpp"
#include "actors/store/job_log.hpp"
#include "config/fault_points.hpp"
#include "media/job_types.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// Reports of one job's progress leave at most so often.
constexpr auto progress_every = 50ms;
/// An attempt ends within two seconds of a stop; this is for one that does not.
constexpr auto hard_limit = 5000ms;
/// Lines for a job's log gather so long, and so many bytes of them.
constexpr auto log_every = 500ms;
constexpr std::size_t log_bytes = 32u << 10;

/// Its owner and its request are those of the job that makes it.
store::job_draft draft_of(media::child_job& child, const store::job& parent) {
  store::job_draft made;
  made.id = store::child_id(parent.id, child.item);
  if (const auto* type = media::find_job_type(child.type))
    made.queue = type->queue;
  made.concurrency_key =
    media::default_concurrency_key(child.type, child.params);
  made.type = std::move(child.type);
  made.params = std::move(child.params);
  made.tags = std::move(child.tags);
  made.unique_key = std::move(child.unique_key);
  made.priority = parent.priority;
  made.owner = parent.owner;
  made.request_id = parent.request_id;
  made.traceparent = parent.traceparent;
  return made;
}

} // namespace

// -- the relay ----------------------------------------------------------------

job_impl attempt_relay::actor() {
  const std::lock_guard lock{mutex_};
  return actor_;
}

void attempt_relay::on_beat() {
  if (beat_)
    beat_();
}

void attempt_relay::on_progress(const media::progress& now) {
  std::unique_lock lock{mutex_};
  newest_ = now;
  if (std::exchange(told_, true) || !actor_)
    return;
  const auto to = actor_;
  lock.unlock();
  caf::anon_send(to, progress_news{});
}

void attempt_relay::on_checkpoint(std::string json,
                                  std::vector<media::child_job> children) {
  if (const auto to = actor())
    caf::anon_send(to, checkpoint_news{std::move(json), std::move(children)});
}

void attempt_relay::on_log(std::string_view line) {
  const auto text = store::log_line(wall_clock(), level_of_line(line), line);
  std::unique_lock lock{mutex_};
  if (lines_.size() + text.size() > log_bytes)
    ++left_out_;
  else
    lines_ += text;
  if (std::exchange(lines_told_, true) || !actor_)
    return;
  const auto to = actor_;
  lock.unlock();
  caf::anon_send(to, log_news{});
}

std::string attempt_relay::take_log() {
  const std::lock_guard lock{mutex_};
  lines_told_ = false;
  auto taken = std::exchange(lines_, {});
  if (const auto missing = std::exchange(left_out_, 0); missing > 0)
    taken += store::log_line(wall_clock(), "warning",
                             std::to_string(missing) + " lines are left out");
  return taken;
}

void attempt_relay::on_done(media::attempt_outcome outcome) {
  std::unique_lock lock{mutex_};
  if (!begun_) {
    early_end_ = std::move(outcome);
    return;
  }
  const auto to = actor_;
  lock.unlock();
  if (to)
    caf::anon_send(to, attempt_over{std::move(outcome)});
}

std::optional<media::attempt_outcome> attempt_relay::begun() {
  const std::lock_guard lock{mutex_};
  begun_ = true;
  return std::exchange(early_end_, std::nullopt);
}

std::optional<media::progress> attempt_relay::take_progress() {
  const std::lock_guard lock{mutex_};
  told_ = false;
  return std::exchange(newest_, std::nullopt);
}

void attempt_relay::close() {
  const std::lock_guard lock{mutex_};
  actor_ = nullptr;
}

// -- the attempt --------------------------------------------------------------

job_state::~job_state() {
  if (relay_)
    relay_->close();
}

void job_state::start(std::shared_ptr<const job_bench> bench, job_ref job,
                      bool publish_only, manager_actor manager) {
  bench_ = std::move(bench);
  job_ = std::move(job);
  manager_ = std::move(manager);
  left_files_ = publish_only || job_->attempt > 1 || !job_->checkpoint.empty();
  if (publish_only) {
    publish_order order{job_->result, job_->manifest};
    return publish(order);
  }
  begin_attempt();
}

void job_state::begin_attempt() {
  media::attempt_task task;
  task.id = job_->id;
  task.epoch = job_->fence.epoch;
  task.type = job_->type;
  task.params = job_->params;
  task.checkpoint = job_->checkpoint;
  task.attempt = job_->attempt;
  task.urgent = job_->deadline_ms > 0;
  task.library = bench_->library;
  std::function<void()> beat;
  if (bench_->on_beat)
    beat = [bench = bench_, id = job_->id, fence = job_->fence] {
      bench->on_beat(id, fence, false);
    };
  relay_ = std::make_shared<attempt_relay>(caf::actor_cast<job_impl>(self_),
                                           std::move(beat));
  begun_at_ = self_->clock().now();
  attempt_ = bench_->make_attempt(std::move(task), relay_);
  TROUPE_FAULT_POINT(attempt_begun);
  if (!attempt_)
    return report(media::failure_report{
      media::errc::bad_params, "this build has no job type " + job_->type, 0});
  attempt_->start();
  if (auto end = relay_->begun())
    end_attempt(std::move(*end));
}

void job_state::stop(stop_attempt order) {
  if (phase_ != phase::working || stop_)
    return;
  stop_ = order.why;
  cancel(order.why);
}

void job_state::cancel(media::errc why) {
  self_->delayed_send(self_, hard_limit, stop_limit{});
  // What ran out of time may go on from where it was, too.
  attempt_->cancel(why == media::errc::timeout ? media::errc::interrupted
                                               : why);
}

void job_state::limit() {
  if (phase_ != phase::working)
    return;
  relay_->close();
  attempt_.reset();
  report(media::failure_report{stop_.value_or(media::errc::interrupted),
                               "the attempt did not end in time", 0});
}

void job_state::end_attempt(attempt_over& over) {
  if (phase_ == phase::working)
    end_attempt(std::move(over.outcome));
}

void job_state::end_attempt(media::attempt_outcome outcome) {
  send_progress();
  auto* failure = std::get_if<media::failure_report>(&outcome);
  if (failure && stop_ == media::errc::timeout) {
    failure->code = media::errc::timeout;
    failure->message = "ran longer than timeout_s";
  }
  report(std::move(outcome));
}

/// The time counts only where there is something to divide by it.
void job_state::measure(media::attempt_usage& used) const {
  if (used == media::attempt_usage{})
    return;
  const auto ran = std::chrono::duration_cast<std::chrono::milliseconds>(
    self_->clock().now() - begun_at_);
  used.wall_ms = static_cast<std::uint64_t>(ran.count());
}

void job_state::report(media::attempt_outcome outcome) {
  send_log();
  phase_ = phase::reported;
  if (bench_->on_beat)
    bench_->on_beat(job_->id, job_->fence, true);
  attempt_report said;
  said.id = job_->id;
  said.fence = job_->fence;
  if (auto* done = std::get_if<media::finished>(&outcome)) {
    said.done = true;
    TROUPE_FAULT_POINT(staged);
    left_files_ = left_files_ || !done->files.empty();
    said.finished = std::move(*done);
    auto& used = said.finished.used;
    for (const auto& file : said.finished.files)
      used.disk += static_cast<std::uint64_t>(file.size);
    measure(used);
  } else {
    left_files_ = true;
    // At once: on a full disk, the report itself may need the room.
    discard_staging();
    said.failure = std::move(std::get<media::failure_report>(outcome));
    measure(said.failure.used);
  }
  if (last_word_)
    return end(*last_word_);
  // Without files there is nothing to do for whatever becomes of the report.
  said.over = !left_files_;
  self_->send(manager_, std::move(said));
  if (!left_files_)
    self_->quit();
}

// -- progress -----------------------------------------------------------------

void job_state::pass_progress() {
  const auto now = self_->clock().now();
  const auto wait = progress_sent_ + progress_every - now;
  if (wait <= 0ms || progress_armed_)
    return send_progress();
  progress_armed_ = true;
  self_->delayed_send(self_, wait, progress_news{});
}

void job_state::send_progress() {
  progress_armed_ = false;
  auto newest = relay_->take_progress();
  if (!newest || phase_ != phase::working)
    return;
  progress_sent_ = self_->clock().now();
  progress_ = std::move(*newest);
  TROUPE_FAULT_POINT(progress_passed);
  self_->send(manager_, progress_report{job_->id, job_->queue,
                                        job_->fence.epoch, progress_});
}

void job_state::pass_checkpoint(checkpoint_news& news) {
  if (phase_ != phase::working)
    return;
  left_files_ = true;
  send_progress();
  TROUPE_FAULT_POINT(checkpoint_seen);
  checkpoint_report said{
    job_->id, job_->fence, progress_, std::move(news.json), {}};
  for (auto& child : news.children)
    said.children.push_back(draft_of(child, *job_));
  self_->send(manager_, std::move(said));
}

void job_state::pass_log() {
  const auto now = self_->clock().now();
  const auto wait = log_sent_ + log_every - now;
  if (wait <= 0ms || log_armed_)
    return send_log();
  log_armed_ = true;
  self_->delayed_send(self_, wait, log_news{});
}

void job_state::send_log() {
  log_armed_ = false;
  if (!relay_ || phase_ != phase::working)
    return;
  auto lines = relay_->take_log();
  if (lines.empty())
    return;
  log_sent_ = self_->clock().now();
  self_->send(manager_, log_report{job_->id, job_->fence, std::move(lines)});
}

// -- publishing and the end ---------------------------------------------------

void job_state::publish(publish_order& order) {
  phase_ = phase::publishing;
  bench_->on_file_thread(
    [bench = bench_, self = caf::actor_cast<job_impl>(self_),
     result = std::move(order.result), manifest = std::move(order.manifest)] {
      TROUPE_FAULT_POINT(publish_begun);
      auto outcome = bench->publish(result, manifest);
      TROUPE_FAULT_POINT(published);
      caf::anon_send(self, publish_over{std::move(outcome)});
    });
}

void job_state::end_publishing(publish_over& over) {
  if (phase_ != phase::publishing)
    return;
  phase_ = phase::reported;
  publish_report said;
  said.id = job_->id;
  said.fence = job_->fence;
  if (!over.outcome) {
    const auto& why = over.outcome.error();
    said.failure = {why.code == media::errc::result_lost
                      ? media::errc::result_lost
                      : media::errc::io_error,
                    why.message(), 0};
  } else {
    said.done = over.outcome->renamed.empty();
    said.result = std::move(over.outcome->result);
    said.renamed = std::move(over.outcome->renamed);
  }
  self_->send(manager_, std::move(said));
}

void job_state::settle(settled word) {
  if (phase_ != phase::working)
    return end(word);
  if (std::exchange(last_word_, word))
    return;
  if (!stop_)
    cancel(word.ended ? media::errc::cancelled : media::errc::interrupted);
}

void job_state::discard_staging() {
  if (std::exchange(staging_gone_, true))
    return;
  bench_->on_file_thread(
    [bench = bench_, id = job_->id, epoch = job_->fence.epoch] {
      bench->discard_staging(id, epoch);
    });
}

void job_state::end(settled word) {
  TROUPE_FAULT_POINT(settled);
  if (left_files_ && word.ended)
    bench_->on_file_thread(
      [bench = bench_, id = job_->id] { bench->discard_job(id); });
  else if (left_files_ && !word.rolls_on)
    discard_staging();
  self_->quit();
}

job_impl::behavior_type run_job(job_state::self_ptr self,
                                std::shared_ptr<const job_bench> bench,
                                job_ref job, bool publish_only,
                                manager_actor manager) {
  auto& state = self->state;
  state.start(std::move(bench), std::move(job), publish_only,
              std::move(manager));
  return {
    [&state](stop_attempt x) { state.stop(x); },
    [&state](publish_order& x) { state.publish(x); },
    [&state](settled x) { state.settle(x); },
    [&state](progress_news) { state.pass_progress(); },
    [&state](checkpoint_news& x) { state.pass_checkpoint(x); },
    [&state](log_news) { state.pass_log(); },
    [&state](attempt_over& x) { state.end_attempt(x); },
    [&state](publish_over& x) { state.end_publishing(x); },
    [&state](stop_limit) { state.limit(); },
  };
}

} // namespace troupe::actors
