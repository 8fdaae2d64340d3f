#include "media/probe/job.hpp"

#include "media/child/child_step.hpp"
#include "media/download/await_files.hpp"
#include "media/download/json_read.hpp"
#include "media/probe/local_source.hpp"
#include "media/probe/source_file.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds beat_every{1};

/// The work, a coroutine on the io thread: open the source, ask a child, tell.
/// Invariant: the sink is set until `on_done`, or until nobody listens.
class probe_work : public std::enable_shared_from_this<probe_work> {
public:
  probe_work(const probe_services& services, attempt_task task,
             std::shared_ptr<attempt_sink> sink)
    : services_(services), task_(std::move(task)), sink_(std::move(sink)),
      child_(std::make_shared<child_step>(services.threads)),
      heart_(services.threads.io()) {}

  void start() {
    asio::post(services_.threads.io(), [self = shared_from_this()] {
      self->beat();
      auto task =
        [](std::shared_ptr<probe_work> work) -> asio::awaitable<void> {
        co_await work->run();
      };
      asio::co_spawn(self->services_.threads.io(), task(self), asio::detached);
    });
  }

  void stop(errc why) {
    asio::post(services_.threads.io(), [self = shared_from_this(), why] {
      if (self->stopping_ == errc::none)
        self->stopping_ = why;
      self->child_->stop(why);
    });
  }

  void abandon() {
    asio::post(services_.threads.io(),
               [self = shared_from_this()] { self->sink_.reset(); });
    stop(errc::interrupted);
  }

private:
  /// The child keeps the deadlines of its own.
  void beat() {
    if (!sink_)
      return;
    sink_->on_beat();
    heart_.expires_after(beat_every);
    heart_.async_wait(
      [self = shared_from_this()](boost::system::error_code stopped) {
        if (!stopped)
          self->beat();
      });
  }

  asio::awaitable<void> run() {
    auto open = [this]() -> result<descriptor> {
      const auto params = parse_object(task_.params);
      const auto source = params ? text_of(*params, "source") : std::string{};
      return open_local_source(source, services_.library.media_roots);
    };
    auto file = co_await on_file_thread(services_.threads.files(), open);
    child_end end;
    if (!file) {
      end.code = static_cast<errc>(file.error().code.value());
      end.message = file.error().message();
    } else if (stopping_ == errc::none) {
      auto task = probe_task(std::move(*file));
      end = co_await child_->run(services_.children, std::move(task));
    }
    conclude(std::move(end));
  }

  void conclude(child_end end) {
    heart_.cancel();
    const auto sink = std::exchange(sink_, nullptr);
    if (!sink)
      return;
    if (stopping_ != errc::none)
      sink->on_done(failure_report{stopping_, "stopped", 0});
    else if (end.code != errc::none)
      sink->on_done(failure_report{end.code, std::move(end.message), 0});
    else
      sink->on_done(finished{std::move(end.result), {}});
  }

  const probe_services& services_;
  const attempt_task task_;
  std::shared_ptr<attempt_sink> sink_;
  std::shared_ptr<child_step> child_;
  asio::steady_timer heart_;
  errc stopping_ = errc::none; ///< why it was told to end
};

class probe_attempt final : public attempt {
public:
  explicit probe_attempt(std::shared_ptr<probe_work> work)
    : work_(std::move(work)) {}

  ~probe_attempt() override {
    work_->abandon();
  }
  void start() override {
    work_->start();
  }
  void cancel(errc why) override {
    work_->stop(why);
  }

private:
  std::shared_ptr<probe_work> work_;
};

} // namespace

std::unique_ptr<attempt> make_probe(const probe_services& services,
                                    attempt_task task,
                                    std::shared_ptr<attempt_sink> sink) {
  return std::make_unique<probe_attempt>(
    std::make_shared<probe_work>(services, std::move(task), std::move(sink)));
}

} // namespace troupe::media
