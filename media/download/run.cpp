#include "media/download/run.hpp"

#include "config/log.hpp"
#include "media/download/await_files.hpp"
#include "media/download/source_state.hpp"
#include "media/download/stage_files.hpp"
#include "media/files/publish.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <utility>
#include <variant>

namespace troupe::media {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds beat_every{1};

std::string what_of(const std::exception_ptr& defect) {
  try {
    std::rethrow_exception(defect);
  } catch (const std::exception& thrown) {
    log::error("a download attempt threw", {{"error", thrown.what()}});
    return thrown.what();
  }
}

} // namespace

download_run::download_run(const download_services& services, attempt_task task,
                           std::shared_ptr<attempt_sink> sink)
  : services_(services), task_(std::move(task)), sink_(std::move(sink)),
    work_(work_folder(task_.library, task_.id)),
    tool_(std::make_shared<tool_step>(services.threads)),
    child_(std::make_shared<child_step>(services.threads)),
    heart_(services.threads.io()) {}

void download_run::start() {
  asio::post(services_.threads.io(), [self = shared_from_this()] {
    auto task = [](std::shared_ptr<download_run> run) -> later<void> {
      co_await run->work();
    };
    // An exception is a defect; whoever waits for the attempt learns of it.
    auto ended = [self](const std::exception_ptr& defect) {
      if (defect)
        self->conclude(failure_report{errc::internal, what_of(defect), 0});
    };
    asio::co_spawn(self->services_.threads.io(), task(self), ended);
  });
}

void download_run::stop(errc why) {
  asio::post(services_.threads.io(), [self = shared_from_this(), why] {
    if (self->stopping_ == errc::none)
      self->stopping_ = why;
    self->end_what_runs();
  });
}

void download_run::abandon() {
  asio::post(services_.threads.io(), [self = shared_from_this()] {
    self->sink_.reset();
    self->heart_.cancel();
    if (self->stopping_ == errc::none)
      self->stopping_ = errc::interrupted;
    self->end_what_runs();
  });
}

void download_run::end_what_runs() {
  tool_->stop();
  child_->stop(stopping_);
  if (pending_)
    pending_->wake.cancel();
}

/// As long as somebody listens.
void download_run::beat() {
  if (!sink_)
    return;
  if (tool_->is_lively())
    sink_->on_beat();
  heart_.expires_after(beat_every);
  heart_.async_wait(
    [self = shared_from_this()](boost::system::error_code wrong) {
      if (!wrong)
        self->beat();
    });
}

void download_run::conclude(attempt_outcome outcome) {
  heart_.cancel();
  if (auto sink = std::exchange(sink_, nullptr))
    sink->on_done(std::move(outcome));
}

asio::awaitable<void> download_run::work() {
  beat();
  report();
  auto ended = co_await steps();
  attempt_outcome outcome;
  if (stopping_ != errc::none)
    outcome = failure_report{stopping_, "stopped", 0};
  else if (ended)
    outcome = std::move(*ended);
  else
    outcome = ended.error();
  close_account();
  std::visit([this](auto& it) { it.used = used_; }, outcome);
  note_pause(outcome);
  co_await clean_up(outcome);
  conclude(std::move(outcome));
}

asio::awaitable<step<finished>> download_run::steps() {
  if (const auto good = take_params(); !good)
    co_return good.error();
  if (const auto good = co_await prepare(); !good)
    co_return good.error();
  if (const auto good = co_await extract(); !good)
    co_return good.error();
  auto kept = co_await skip();
  if (!kept)
    co_return kept.error();
  if (*kept)
    co_return std::move(**kept);
  if (const auto good = co_await look(); !good)
    co_return good.error();
  if (const auto good = co_await fetch(); !good)
    co_return good.error();
  co_return co_await stage();
}

/// A 429 is meant for all that we ask of the host, not for one job.
void download_run::note_pause(const attempt_outcome& outcome) {
  const auto* why = std::get_if<failure_report>(&outcome);
  if (why && why->code == errc::rate_limited && !why->untried)
    services_.pauses.pause(host_of_url(params_.url), why->retry_after_s);
}

/// What stays behind depends on whether anybody can go on from it.
asio::awaitable<void> download_run::clean_up(const attempt_outcome& outcome) {
  const auto* why = std::get_if<failure_report>(&outcome);
  auto tidy = [this, why] {
    std::error_code ignored;
    std::filesystem::remove(work::cookies_of(work_), ignored);
    if (!why)
      return true;
    // Only what is this attempt's own: another may have come after it, unless
    // the job has been cancelled.
    discard_staging(task_.library, task_.id, task_.epoch);
    // The job store may be on that disk, and could not even store this failure.
    if (why->code == errc::disk_full)
      work::drop_parts(work_, false, -1);
    if (why->code == errc::cancelled)
      discard_job(task_.library, task_.id);
    return true;
  };
  co_await on_file_thread(services_.threads.files(), tidy);
}

asio::awaitable<step<finished>> download_run::stage() {
  meter_.enter("publish");
  report();
  const auto facts = co_await probe(files_.media);
  if (!facts)
    co_return facts.error();
  auto stage_it = [this, &facts]() -> step<finished> {
    if (facts->container.empty() && work::looks_like_html(files_.media))
      return failure_report{errc::invalid_media, "a web page, not a medium", 0};
    return stage_download({task_, params_, source_, *facts, files_});
  };
  co_return co_await on_file_thread(services_.threads.files(), stage_it);
}

asio::awaitable<step<std::optional<finished>>> download_run::skip() {
  using answer = step<std::optional<finished>>;
  if (params_.if_exists != if_exists_rule::skip)
    co_return answer{std::nullopt};
  const auto wanted = to_string(params_.format);
  const auto path =
    final_path_of(task_, params_, source_,
                  wanted.empty() ? source_.ext : std::string{wanted});
  auto exists = [&path] {
    std::error_code bad;
    return std::filesystem::is_regular_file(path, bad);
  };
  if (!co_await on_file_thread(services_.threads.files(), exists))
    co_return answer{std::nullopt};
  const auto facts = co_await probe(path);
  if (!facts)
    co_return facts.error();
  auto keep = [this, &facts, &path] {
    return keep_existing({task_, params_, source_, *facts, {}}, path);
  };
  auto kept = co_await on_file_thread(services_.threads.files(), keep);
  if (!kept)
    co_return kept.error();
  co_return answer{std::move(*kept)};
}

void download_run::report() {
  if (sink_ && stopping_ == errc::none)
    sink_->on_progress(meter_.now());
}

} // namespace troupe::media
