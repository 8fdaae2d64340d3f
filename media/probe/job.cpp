#include "media/probe/job.hpp"

#include "config/log.hpp"
#include "media/attempt_parts.hpp"
#include "media/child/child_step.hpp"
#include "media/download/await_files.hpp"
#include "media/download/json_read.hpp"
#include "media/download/params.hpp"
#include "media/download/step.hpp"
#include "media/fetch/remote_source.hpp"
#include "media/probe/local_source.hpp"
#include "media/probe/source_file.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>

#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;

constexpr std::string_view job_scheme = "job:";

/// What is to be read: a file, or what the child asks for.
struct probe_source {
  descriptor file;
  file_stamp stamp; ///< of the file, when it was opened
  std::shared_ptr<remote_source> remote;
  std::string key; ///< names it among the bad ones
};

/// The work, a coroutine on the io thread: open the source, ask a child, tell.
/// Invariant: the sink is set until `on_done`, or until nobody listens.
class probe_work : public std::enable_shared_from_this<probe_work> {
public:
  probe_work(const probe_services& services, attempt_task task,
             std::shared_ptr<attempt_sink> sink)
    : services_(services), task_(std::move(task)), sink_(std::move(sink)),
      child_(std::make_shared<child_step>(services.threads)),
      heart_(services.threads), wake_(services.threads.io()) {}

  void start() {
    const auto params = parse_object(task_.params);
    name_ = params ? text_of(*params, "source") : std::string{};
    if (!name_.starts_with(job_scheme))
      return launch(std::string{});
    if (!task_.result_of)
      return launch(fail(errc::source_unavailable, "no job can be asked for"));
    task_.result_of(name_.substr(job_scheme.size()),
                    [self = shared_from_this()](result<std::string> told) {
                      self->launch(std::move(told));
                    });
  }

  void stop(errc why) {
    asio::post(services_.threads.io(), [self = shared_from_this(), why] {
      if (self->stopping_ == errc::none)
        self->stopping_ = why;
      self->wake_.cancel();
      self->child_->stop(why);
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
      // The child keeps the deadlines of its own.
      self->heart_.start(self->sink_);
      auto task =
        [](std::shared_ptr<probe_work> work) -> asio::awaitable<void> {
        co_await work->run();
      };
      asio::co_spawn(self->services_.threads.io(), task(self), asio::detached);
    });
  }

  asio::awaitable<void> run() {
    auto opened = co_await open();
    if (opened && stopping_ == errc::none)
      opened = check(std::move(*opened));
    if (!opened || stopping_ != errc::none)
      co_return conclude(opened ? failure_report{} : opened.error());
    auto outcome = co_await probe(std::move(*opened));
    conclude(std::move(outcome));
  }

  asio::awaitable<step<probe_source>> open() {
    if (!job_result_)
      co_return report_of(job_result_.error());
    if (!name_.starts_with("local:") && !name_.starts_with(job_scheme))
      co_return co_await open_remote();
    auto look = [this]() -> result<descriptor> {
      if (name_.starts_with(job_scheme))
        return open_result_source(*job_result_, services_.library.dir);
      return open_local_source(name_, services_.library.media_roots);
    };
    auto file = co_await on_file_thread(services_.threads.files(), look);
    if (!file)
      co_return report_of(file.error());
    probe_source opened;
    opened.file = std::move(*file);
    opened.stamp = stamp_of(opened.file);
    opened.key = to_string(opened.stamp);
    co_return opened;
  }

  /// Its first block tells its size, and whether it is there at all.
  asio::awaitable<step<probe_source>> open_remote() {
    const auto host = host_of_url(name_);
    if (host.empty())
      co_return failure_report{errc::bad_params, "no URL", 0};
    if (!services_.guard.may_name(host))
      co_return failure_report{errc::source_forbidden,
                               host + " may not be fetched from", 0};
    if (const auto left = services_.pauses.left(host); left > 0)
      co_return failure_report{errc::rate_limited, host + " asked for a pause",
                               left, true};
    place_ = services_.remote.take(task_.urgent);
    if (!place_)
      co_return failure_report{errc::interrupted,
                               "as many remote sources are read as may be",
                               services_.remote.next_turn(), true};
    probe_source opened;
    opened.key = name_;
    opened.remote = std::make_shared<remote_source>(
      services_.threads, services_.fetcher, services_.proxy, name_);
    remote_ = opened.remote;
    wake_.expires_at(asio::steady_timer::time_point::max());
    opened.remote->read(
      0, 1, [self = shared_from_this()](const result<std::string>&) {
        self->looked_ = true;
        self->wake_.cancel();
      });
    const auto wait = asio::as_tuple(asio::use_awaitable);
    while (!looked_ && stopping_ == errc::none)
      co_await wake_.async_wait(wait);
    if (auto why = trouble_of(opened); why.code != errc::none)
      co_return why;
    co_return opened;
  }

  step<probe_source> check(probe_source source) {
    const auto left = services_.bad.refused(source.key);
    if (left > 0)
      return failure_report{
        errc::poison_source,
        "it crashed what read it, and is refused for another "
          + std::to_string(static_cast<int>(left) + 1) + " s",
        0};
    return source;
  }

  asio::awaitable<attempt_outcome> probe(probe_source source) {
    const descriptor kept{
      source.file ? ::fcntl(source.file.get(), F_DUPFD_CLOEXEC, 0) : -1};
    auto task = source.remote ? probe_task(source.remote)
                              : probe_task(std::move(source.file));
    const auto rank = task_.urgent ? child_rank::waited_for : child_rank::batch;
    auto end = co_await child_->run(services_.children, std::move(task), rank);
    judge(source.key, end.code);
    attempt_usage used;
    count(end.usage, used);
    auto why = trouble_of(source);
    if (kept && stamp_of(kept) != source.stamp)
      why = {errc::source_changed, "it changed while it was read", 0};
    if (end.code != errc::none && (why.code == errc::none || died(end.code)))
      why = {end.code, std::move(end.message), 0};
    why.used = used;
    if (why.code != errc::none)
      co_return why;
    co_return finished{std::move(end.result), {}, used};
  }

  void judge(const std::string& key, errc code) {
    if (services_.bad.note(key, code))
      log::warn("a source crashes who reads it, and is refused for a while",
                {{"job", task_.id}, {"source", name_}});
  }

  /// Why the source could not be read on; `none` if it could.
  failure_report trouble_of(const probe_source& source) {
    if (!source.remote)
      return {errc::none, {}, 0};
    const auto& why = source.remote->trouble();
    if (why.code == errc::rate_limited)
      services_.pauses.pause(host_of_url(name_), why.retry_after_s);
    return {why.code, why.message, why.retry_after_s};
  }

  void conclude(attempt_outcome outcome) {
    heart_.stop();
    if (remote_)
      remote_->close();
    place_.reset();
    const auto sink = std::exchange(sink_, nullptr);
    if (!sink)
      return;
    if (stopping_ != errc::none)
      outcome = failure_report{stopping_, "stopped", 0};
    sink->on_done(std::move(outcome));
  }

  const probe_services& services_;
  const attempt_task task_;
  std::shared_ptr<attempt_sink> sink_;
  std::shared_ptr<child_step> child_;
  heartbeat heart_;
  asio::steady_timer wake_; ///< cancelled by what is waited for
  std::string name_;        ///< of the source, as it was given
  result<std::string> job_result_{std::string{}};
  std::shared_ptr<remote_source> remote_; ///< if it is one
  remote_share::place place_;             ///< while it is read
  bool looked_ = false;
  errc stopping_ = errc::none; ///< why it was told to end
};

} // namespace

std::unique_ptr<attempt> make_probe(const probe_services& services,
                                    attempt_task task,
                                    std::shared_ptr<attempt_sink> sink) {
  return std::make_unique<shared_work<probe_work>>(
    std::make_shared<probe_work>(services, std::move(task), std::move(sink)));
}

} // namespace troupe::media
