#include "media/transcode/job.hpp"

#include "config/text.hpp"
#include "media/attempt_parts.hpp"
#include "media/child/child_step.hpp"
#include "media/download/await_files.hpp"
#include "media/download/step.hpp"
#include "media/files/publish.hpp"
#include "media/stream/service.hpp"
#include "media/transcode/ending.hpp"
#include "media/transcode/maker.hpp"
#include "media/transcode/meter.hpp"
#include "media/transcode/pack_file.hpp"
#include "media/transcode/plan.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::string_view jobs_scheme = "job:";
constexpr std::chrono::seconds film_index_stall{30};
/// Until an attempt that was told to end has let go of the pack.
constexpr int lock_tries = 100;
constexpr std::chrono::milliseconds lock_pause{100};
/// Then an end is told though a disk has not answered.
constexpr std::chrono::milliseconds stop_limit{1500};
/// Bytes that a conversion that fills a disk gives back of it.
constexpr std::uint64_t room_for_others = 16u << 20;

/// The work, a coroutine on the io thread: open the source, plan, have all
/// pieces made, join them, look at what came of it. Invariant: the sink is set
/// until `on_done`, or until nobody listens.
class transcode_work : public std::enable_shared_from_this<transcode_work> {
public:
  transcode_work(const transcode_services& services, attempt_task task,
                 std::shared_ptr<attempt_sink> sink)
    : services_(services), task_(std::move(task)), sink_(std::move(sink)),
      child_(std::make_shared<child_step>(services.threads)),
      heart_(services.threads), wake_(services.threads.io()),
      late_(services.threads.io()) {}

  void start() {
    auto read = read_transcode_params(task_.params);
    if (!read)
      return launch(read.error());
    params_ = std::move(*read);
    if (!params_.source.starts_with(jobs_scheme))
      return launch(std::string{});
    if (!task_.result_of)
      return launch(fail(errc::source_unavailable, "no job can be asked for"));
    task_.result_of(params_.source.substr(jobs_scheme.size()),
                    [self = shared_from_this()](result<std::string> told) {
                      self->launch(std::move(told));
                    });
  }

  void stop(errc why) {
    asio::post(services_.threads.io(), [self = shared_from_this(), why] {
      if (self->stopping_ == errc::none)
        self->stopping_ = why;
      self->halt();
    });
  }

  void abandon() {
    asio::post(services_.threads.io(),
               [self = shared_from_this()] { self->sink_.reset(); });
    stop(errc::interrupted);
  }

private:
  /// @param told the result of the job that is the source, if one is
  void launch(result<std::string> told) {
    asio::post(services_.threads.io(), [self = shared_from_this(),
                                        told = std::move(told)]() mutable {
      self->job_result_ = std::move(told);
      self->heart_.start(self->sink_);
      auto task =
        [](std::shared_ptr<transcode_work> work) -> asio::awaitable<void> {
        auto outcome = co_await work->run();
        work->conclude(std::move(outcome));
      };
      asio::co_spawn(self->services_.threads.io(), task(self), asio::detached);
    });
  }

  void halt() {
    child_->stop(stopping_);
    if (maker_)
      maker_->quit();
    wake_.cancel();
    late_.expires_after(stop_limit);
    late_.async_wait(
      [self = shared_from_this()](boost::system::error_code stopped) {
        if (!stopped)
          self->conclude(failure_report{});
      });
  }

  asio::awaitable<attempt_outcome> run() {
    auto outcome = co_await convert();
    const auto* why = std::get_if<failure_report>(&outcome);
    // The job store may be on that disk, and could not even store this failure.
    if (why && why->code == errc::disk_full && pack_) {
      const auto leave_room = [pack = pack_] {
        pack->shrink(room_for_others);
        return true;
      };
      co_await on_file_thread(services_.threads.files(), leave_room);
    }
    co_return outcome;
  }

  asio::awaitable<attempt_outcome> convert() {
    if (!job_result_)
      co_return report_of(job_result_.error());
    if (auto ready = co_await prepare(); !ready)
      co_return ready.error();
    if (auto made = co_await make_pieces(); !made)
      co_return made.error();
    co_return co_await finish();
  }

  /// Waits until `done`, or until it is told to end.
  template <class Condition>
  asio::awaitable<void> wait_for(Condition done) {
    const auto wait = asio::as_tuple(asio::use_awaitable);
    while (!done() && stopping_ == errc::none) {
      wake_.expires_at(asio::steady_timer::time_point::max());
      co_await wake_.async_wait(wait);
    }
  }

  asio::awaitable<step<void>> prepare() {
    tell_stage("open");
    auto source = co_await open();
    if (!source)
      co_return source.error();
    auto index = co_await read_index(*source, false);
    if (index && !(*index)->indexed)
      index = co_await read_index(*source, true);
    if (!index)
      co_return index.error();
    auto planned = plan_transcode(params_, *source, *index);
    if (!planned)
      co_return report_of(planned.error());
    plan_ = std::make_shared<const transcode_plan>(std::move(*planned));
    co_return co_await open_pack();
  }

  asio::awaitable<step<source_ptr>> open() {
    // Schemes are in any case (RFC 3986, 3.1); what opens them knows one.
    auto name = params_.source;
    if (const auto colon = name.find(':'); colon != name.npos)
      name = config::lower(name.substr(0, colon)) + name.substr(colon);
    services_.streams.open_source(
      name, *job_result_,
      [self = shared_from_this()](result<source_ptr> opened) {
        asio::post(self->services_.threads.io(),
                   [self, opened = std::move(opened)]() mutable {
                     self->source_ = std::move(opened);
                     self->wake_.cancel();
                   });
      });
    co_await wait_for([this] { return source_.has_value(); });
    if (!source_)
      co_return failure_report{};
    if (!*source_)
      co_return report_of(source_->error());
    co_return **source_;
  }

  asio::awaitable<step<std::shared_ptr<const av_index>>>
  read_index(source_ptr source, bool scan) {
    if (stopping_ != errc::none)
      co_return failure_report{};
    av_order order;
    order.source_key = to_hex(source->key);
    order.scan = scan;
    auto task =
      services_.streams.compose(*source, std::move(order), film_index_stall);
    auto end = co_await child_->run(services_.children, std::move(task),
                                    child_rank::batch);
    count(end.usage, used_);
    if (end.code == errc::crashed)
      services_.streams.crashed(*source);
    if (end.code != errc::none)
      co_return failure_report{end.code, std::move(end.message), 0};
    auto read = read_av_index(end.result);
    if (!read)
      co_return report_of(read.error());
    co_return std::make_shared<const av_index>(std::move(*read));
  }

  asio::awaitable<step<void>> open_pack() {
    const auto look = [this] {
      return pack_file::open(work_folder(task_.library, task_.id),
                             plan_->identity());
    };
    for (int tries = 0;; ++tries) {
      auto opened = co_await on_file_thread(services_.threads.files(), look);
      if (stopping_ != errc::none)
        co_return failure_report{};
      if (opened) {
        pack_ = std::move(*opened);
        co_return step<void>{};
      }
      if (opened.error().code != errc::interrupted)
        co_return report_of(opened.error());
      if (tries == lock_tries)
        co_return failure_report{errc::io_error,
                                 "an earlier attempt has its work folder", 0};
      const auto wait = asio::as_tuple(asio::use_awaitable);
      wake_.expires_after(lock_pause);
      co_await wake_.async_wait(wait);
    }
  }

  asio::awaitable<step<void>> make_pieces() {
    meter_ = transcode_meter{plan_->duration_s, plan_->pieces.size()};
    maker_listener listener;
    listener.on_piece = [self = shared_from_this()](const auto& piece,
                                                    bool made, double partial) {
      self->hear_piece(piece, made, partial);
    };
    listener.on_partial = [self = shared_from_this()](double work) {
      self->meter_.set_partial(work);
      if (self->sink_)
        self->sink_->on_progress(self->meter_.now());
    };
    listener.on_end = [self = shared_from_this()](result<void> how) {
      self->made_ = std::move(how);
      self->wake_.cancel();
    };
    tell_earlier_pieces();
    maker_ = std::make_shared<piece_maker>(services_, plan_, pack_,
                                           std::move(listener));
    maker_->start();
    co_await wait_for([this] { return made_.has_value(); });
    used_.cpu_ms += maker_->used().cpu_ms;
    used_.peak_memory = std::max(used_.peak_memory, maker_->used().peak_memory);
    maker_->quit();
    if (!made_)
      co_return failure_report{};
    if (!*made_)
      co_return report_of(made_->error());
    if (is_changed(***source_))
      co_return failure_report{errc::source_changed,
                               "it changed while it was read", 0};
    co_return step<void>{};
  }

  /// All at once: what is told never goes back.
  void tell_earlier_pieces() {
    for (const auto& each : plan_->pieces)
      if (pack_->has(each.part, each.track, each.number))
        meter_.add(each.work, false);
    if (sink_)
      sink_->on_progress(meter_.now());
  }

  void hear_piece(const transcode_piece& piece, bool made, double partial) {
    if (!sink_)
      return;
    meter_.set_partial(partial);
    meter_.add(piece.work, made);
    sink_->on_progress(meter_.now());
    if (auto told = meter_.checkpoint(); !told.empty())
      sink_->on_checkpoint(std::move(told));
  }

  asio::awaitable<attempt_outcome> finish() {
    if (stopping_ != errc::none)
      co_return failure_report{};
    transcode_ending ending{services_, task_, params_, plan_, pack_, child_};
    ending.on_stage = [this](const char* name) {
      tell_stage(name);
    };
    ending.is_stopped = [this] {
      return stopping_ != errc::none;
    };
    auto outcome = co_await ending.run();
    count(ending.used, used_);
    if (auto* done = std::get_if<finished>(&outcome))
      done->used = used_;
    co_return outcome;
  }

  void tell_stage(const char* name) {
    if (sink_)
      sink_->on_progress(meter_.at_stage(name));
  }

  void conclude(attempt_outcome outcome) {
    heart_.stop();
    late_.cancel();
    const auto sink = std::exchange(sink_, nullptr);
    if (!sink)
      return;
    if (stopping_ != errc::none)
      outcome = failure_report{stopping_, "stopped", 0};
    if (auto* why = std::get_if<failure_report>(&outcome))
      why->used = used_;
    sink->on_done(std::move(outcome));
  }

  const transcode_services& services_;
  const attempt_task task_;
  std::shared_ptr<attempt_sink> sink_;
  std::shared_ptr<child_step> child_;
  heartbeat heart_;
  asio::steady_timer wake_; ///< cancelled by what is waited for
  asio::steady_timer late_;
  transcode_params params_;
  result<std::string> job_result_{std::string{}};
  std::optional<result<source_ptr>> source_;
  std::shared_ptr<const transcode_plan> plan_;
  std::shared_ptr<pack_file> pack_;
  std::shared_ptr<piece_maker> maker_;
  std::optional<result<void>> made_;
  transcode_meter meter_;
  attempt_usage used_;
  errc stopping_ = errc::none; ///< why it was told to end
};

} // namespace

std::unique_ptr<attempt> make_transcode(const transcode_services& services,
                                        attempt_task task,
                                        std::shared_ptr<attempt_sink> sink) {
  return std::make_unique<shared_work<transcode_work>>(
    std::make_shared<transcode_work>(services, std::move(task),
                                     std::move(sink)));
}

} // namespace troupe::media
