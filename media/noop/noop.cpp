#include "media/noop/noop.hpp"

#include "media/files/publish.hpp"
#include "media/noop/filler.hpp"
#include "media/plain_json.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

struct noop_params {
  std::int64_t sleep_ms = 0;
  std::int64_t fail_times = 0;
  std::int64_t steps = 1;
  std::int64_t output_bytes = 0;
  std::string payload; ///< JSON text, or empty
};

/// Also what the results of other jobs were put into, after the schema was
/// asked.
result<noop_params> read_params(const std::string& text) {
  noop_params params;
  boost::system::error_code bad;
  const auto parsed = json::parse(text, bad);
  if (bad || !parsed.is_object())
    return fail(errc::bad_params, "not a JSON object");
  const auto& object = parsed.get_object();
  std::string_view wrong;
  const auto take = [&](std::string_view name, std::int64_t least,
                        std::int64_t most, std::int64_t& to) {
    const auto* found = object.if_contains(name);
    if (!found)
      return;
    to = found->to_number<std::int64_t>(bad);
    if (bad || to < least || to > most)
      wrong = name;
  };
  take("sleep_ms", 0, 86'400'000, params.sleep_ms);
  take("fail_times", 0, 1000, params.fail_times);
  take("steps", 1, 100'000, params.steps);
  take("output_bytes", 0, 1 << 30, params.output_bytes);
  if (!wrong.empty())
    return fail(errc::bad_params, std::string{wrong});
  if (const auto* found = object.if_contains("payload"))
    params.payload = plain_json(*found);
  return params;
}

constexpr std::chrono::seconds noop_beat{1};

/// How long an earlier attempt has slept; 0 if none has told.
std::int64_t slept_before(const std::string& checkpoint) {
  boost::system::error_code bad;
  const auto parsed = json::parse(checkpoint, bad);
  if (bad || !parsed.is_object())
    return 0;
  const auto* found = parsed.get_object().if_contains("slept_ms");
  const auto ms = found ? found->to_number<std::int64_t>(bad) : 0;
  return bad ? 0 : std::max<std::int64_t>(ms, 0);
}

bool is_idle(const noop_params& params) {
  return params.sleep_ms == 0 && params.steps == 1 && params.output_bytes == 0;
}

finished idle_outcome(const noop_params& params) {
  if (params.payload.empty())
    return {"{}", {}};
  return {"{\"payload\":" + params.payload + "}", {}};
}

/// The work, kept alive by its own timers and file tasks. Everything but
/// construction runs on the io thread. Invariants: `done_` is set exactly when
/// nothing may be reported any more; `slept_ms_` of the sleep were over at
/// `since_`, and all that was before is on record as `saved_ms_`.
class noop_work : public std::enable_shared_from_this<noop_work> {
public:
  noop_work(runtime& threads, attempt_task task, noop_params params,
            std::shared_ptr<attempt_sink> sink)
    : threads_(threads), task_(std::move(task)), params_(std::move(params)),
      sink_(std::move(sink)), timer_(threads.io()), heart_(threads.io()),
      saved_ms_(std::min(slept_before(task_.checkpoint), params_.sleep_ms)),
      slept_ms_(saved_ms_) {}

  void start() {
    since_ = clock::now();
    if (slept_ms_ > 0)
      step_ = slept_ms_ * params_.steps / params_.sleep_ms;
    beat();
    step();
  }

  void step() {
    if (done_)
      return;
    report_progress();
    if (step_ == params_.steps)
      return write();
    ++step_;
    const auto end = params_.sleep_ms * step_ / params_.steps;
    timer_.expires_at(since_ + std::chrono::milliseconds{end - slept_ms_});
    timer_.async_wait(
      [self = shared_from_this()](boost::system::error_code stopped) {
        if (!stopped)
          self->step();
      });
  }

  void stop(errc why) {
    if (why == errc::interrupted)
      save();
    finish(failure_report{why, "stopped", 0});
  }

  /// Ends the work without a word.
  void abandon() {
    done_ = true;
    timer_.cancel();
    heart_.cancel();
  }

private:
  using clock = std::chrono::steady_clock;

  void beat() {
    if (done_)
      return;
    sink_->on_beat();
    save();
    heart_.expires_after(noop_beat);
    heart_.async_wait(
      [self = shared_from_this()](boost::system::error_code stopped) {
        if (!stopped)
          self->beat();
      });
  }

  /// The next attempt goes on from here.
  void save() {
    const auto ran = std::chrono::duration_cast<std::chrono::milliseconds>(
      clock::now() - since_);
    const auto slept = std::min(slept_ms_ + ran.count(), params_.sleep_ms);
    if (done_ || slept <= saved_ms_)
      return;
    saved_ms_ = slept;
    sink_->on_checkpoint("{\"slept_ms\":" + std::to_string(slept) + "}", {});
  }

  void report_progress() {
    progress now;
    now.stage = "work";
    now.unit = "steps";
    now.done = step_;
    now.total = params_.steps;
    now.fraction =
      static_cast<double>(step_) / static_cast<double>(params_.steps);
    sink_->on_progress(now);
  }

  void write() {
    if (params_.output_bytes == 0)
      return finish(finished{result_of({}), {}});
    asio::post(threads_.files(), [self = shared_from_this()] {
      auto staged = self->stage();
      asio::post(self->threads_.io(),
                 [self, staged = std::move(staged)] { self->settle(staged); });
    });
  }

  /// Blocks; on a file thread.
  result<staged_file> stage() const {
    const auto folder = staging_folder(task_.library, task_.id, task_.epoch);
    // Of its attempt, too: what was published twice can be told.
    const auto seed = task_.id + '.' + std::to_string(task_.epoch);
    const auto written =
      write_filler(folder / "noop.bin", seed, params_.output_bytes);
    if (!written)
      return written.error();
    const auto final_path = task_.library / "noop" / (task_.id + ".bin");
    return staged_file{
      folder / "noop.bin", final_path, written->size,
      written->sha256,     false,      library_id(task_.library)};
  }

  void settle(const result<staged_file>& staged) {
    if (staged)
      return finish(finished{result_of(*staged), {*staged}});
    const bool full = staged.error().code == errc::disk_full;
    finish(failure_report{full ? errc::disk_full : errc::io_error,
                          staged.error().message(), 0});
  }

  std::string result_of(const staged_file& file) const {
    json::object result;
    if (!params_.payload.empty())
      result["payload"] = json::parse(params_.payload);
    if (!file.final_path.empty()) {
      result["path"] = file.final_path;
      result["size"] = file.size;
      result["sha256"] = file.sha256;
    }
    return plain_json(result);
  }

  void finish(attempt_outcome outcome) {
    if (std::exchange(done_, true))
      return;
    timer_.cancel();
    heart_.cancel();
    sink_->on_done(std::move(outcome));
  }

  runtime& threads_;
  attempt_task task_;
  noop_params params_;
  std::shared_ptr<attempt_sink> sink_;
  asio::steady_timer timer_;
  asio::steady_timer heart_;
  clock::time_point since_;
  std::int64_t saved_ms_;
  std::int64_t slept_ms_; ///< by earlier attempts
  std::int64_t step_ = 0;
  bool done_ = false;
};

class noop_attempt final : public attempt {
public:
  noop_attempt(runtime& threads, attempt_task task,
               std::shared_ptr<attempt_sink> sink)
    : threads_(threads), task_(std::move(task)), sink_(std::move(sink)) {}

  ~noop_attempt() override {
    if (work_)
      asio::post(threads_.io(), [work = std::move(work_)] { work->abandon(); });
  }

  void start() override {
    auto read = read_params(task_.params);
    if (!read)
      return sink_->on_done(
        failure_report{errc::bad_params, read.error().message(), 0});
    auto& params = *read;
    if (task_.attempt <= params.fail_times)
      return sink_->on_done(
        failure_report{errc::fault_asked, "fail_times asked for it", 0});
    if (is_idle(params))
      return sink_->on_done(idle_outcome(params));
    work_ =
      std::make_shared<noop_work>(threads_, task_, std::move(params), sink_);
    asio::post(threads_.io(), [work = work_] { work->start(); });
  }

  void cancel(errc why) override {
    if (work_)
      asio::post(threads_.io(), [work = work_, why] { work->stop(why); });
  }

private:
  runtime& threads_;
  attempt_task task_;
  std::shared_ptr<attempt_sink> sink_;
  std::shared_ptr<noop_work> work_; ///< null until started, or never needed
};

} // namespace

std::unique_ptr<attempt> make_noop(runtime& threads, attempt_task task,
                                   std::shared_ptr<attempt_sink> sink) {
  return std::make_unique<noop_attempt>(threads, std::move(task),
                                        std::move(sink));
}

} // namespace troupe::media
