#include "media/image_batch/job.hpp"

#include "media/attempt_parts.hpp"
#include "media/download/json_read.hpp"
#include "media/files/digest.hpp"
#include "media/files/publish.hpp"
#include "media/files/sync.hpp"
#include "media/image_batch/file_gate.hpp"
#include "media/image_batch/files.hpp"
#include "media/image_batch/ledger.hpp"
#include "media/image_batch/seat.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds checkpoint_every{2};

failure_report report_of_failure(const failure& why) {
  const bool ours = why.code.category() == media_category();
  return {ours ? static_cast<errc>(why.code.value()) : errc::io_error,
          why.detail.empty() ? why.message() : why.detail, 0};
}

/// The work. Everything but construction and what is said to run elsewhere is
/// on the io thread. Invariants: the sink is set until `on_done`, or until
/// nobody listens; sources before `next_` are done, or a seat works on them.
class batch_work : public std::enable_shared_from_this<batch_work> {
public:
  batch_work(const image_batch_services& services, attempt_task task,
             std::shared_ptr<attempt_sink> sink)
    : services_(services), task_(std::move(task)), sink_(std::move(sink)),
      heart_(services.threads), folder_(task_.library / "images" / task_.id) {}

  void start() {
    on_io([](batch_work& me) { me.heart_.start(me.sink_); });
    on_files([](batch_work& me) {
      if (const auto ready = me.prepare(); !ready)
        return me.on_io_fail(ready.error());
      me.on_io([](batch_work& it) { it.begin(); });
    });
  }

  void stop(errc why) {
    on_io([why](batch_work& me) {
      me.conclude(failure_report{why, "stopped", 0});
    });
  }

  void abandon() {
    on_io([](batch_work& me) {
      me.sink_.reset();
      me.quit();
      me.shut_gate([] {});
    });
  }

private:
  template <class Call>
  void on_io(Call call) {
    asio::post(services_.threads.io(),
               [self = shared_from_this(), call] { call(*self); });
  }
  /// Not at all once the gate is shut.
  template <class Call>
  void on_files(Call call) {
    asio::post(services_.threads.files(), [self = shared_from_this(), call] {
      if (const auto open = self->gate_->enter())
        call(*self);
    });
  }
  /// Then nothing of this attempt is written any more.
  template <class Then>
  void shut_gate(Then then) {
    asio::post(services_.threads.files(),
               [gate = gate_, then = std::move(then)]() mutable {
                 gate->shut();
                 then();
               });
  }
  void on_io_fail(const failure& why) {
    on_io([why](batch_work& me) { me.conclude(report_of_failure(why)); });
  }

  /// Blocks.
  result<void> prepare() {
    auto read = read_batch(task_.params, services_.images.rules());
    if (!read)
      return read.error();
    const auto work = work_folder(task_.library, task_.id);
    auto listed = list_sources(*read, work, services_.library);
    if (!listed)
      return listed.error();
    const auto object = parse_object(task_.checkpoint);
    const auto done = object ? number_of(*object, "done") : 0;
    auto known =
      known_lines(work, static_cast<std::size_t>(std::max(done, 0.0)));
    if (!known)
      return known.error();
    params_ = std::make_shared<const batch_params>(std::move(*read));
    sources_ = std::move(*listed);
    names_ = output_names(*params_, sources_);
    ledger_ = batch_ledger{sources_.size(), std::move(*known)};
    return {};
  }

  void begin() {
    if (!sink_)
      return;
    next_ = ledger_.done();
    sink_->on_progress(ledger_.now());
    seats_.resize(std::max(services_.children, 1u));
    for (auto& each : seats_)
      each = std::make_shared<batch_seat>(services_, params_, folder_, gate_,
                                          task_.result_of);
    for (std::size_t at = 0; at < seats_.size(); ++at)
      advance(at);
  }

  void advance(std::size_t at) {
    if (!sink_)
      return;
    if (next_ == sources_.size()) {
      seats_[at]->quit();
      if (ledger_.is_whole())
        finish();
      return;
    }
    const auto source = next_++;
    const auto images = params_->images();
    const auto first =
      names_.begin() + static_cast<std::ptrdiff_t>(source * images);
    seats_[at]->make(
      sources_[source], {first, first + static_cast<std::ptrdiff_t>(images)},
      [self = shared_from_this(), at, source](const result<batch_item>& item) {
        self->settle(at, source, item);
      });
  }

  void settle(std::size_t at, std::size_t source,
              const result<batch_item>& item) {
    if (!sink_)
      return;
    if (!item)
      return conclude(report_of_failure(item.error()));
    const auto& name = sources_[source];
    ledger_.settle(source, line_of(name, item->files, item->error));
    if (!item->error.empty()) {
      sink_->on_log(name + ": " + item->error);
      if (params_->fail_fast)
        return conclude(
          failure_report{errc::invalid_media, name + ": " + item->error, 0});
    }
    sink_->on_progress(ledger_.now());
    remember();
    advance(at);
  }

  /// What it tells of has to last first.
  void remember() {
    if (syncing_ || clock::now() < remember_at_)
      return;
    syncing_ = true;
    remember_at_ = clock::now() + checkpoint_every;
    on_files(
      [fresh = ledger_.take_fresh(), done = ledger_.done()](batch_work& me) {
        const auto work = work_folder(me.task_.library, me.task_.id);
        auto lasting = add_lines(work, fresh);
        if (lasting)
          lasting = sync_all(work);
        me.on_io([done, lasting](batch_work& it) {
          it.syncing_ = false;
          if (!lasting)
            it.conclude(report_of_failure(lasting.error()));
          else if (it.sink_)
            it.sink_->on_checkpoint(
              json::serialize(json::object{{"done", done}}));
        });
      });
  }

  void finish() {
    if (std::exchange(finishing_, true))
      return;
    on_files([text = ledger_.text()](batch_work& me) {
      auto staged = me.stage(text);
      me.on_io([staged = std::move(staged)](batch_work& it) {
        if (!staged)
          return it.conclude(report_of_failure(staged.error()));
        it.conclude(finished{it.ledger_.result_of(it.folder_.string(), *staged),
                             {*staged}});
      });
    });
  }

  /// Blocks.
  result<staged_file> stage(const std::string& text) const {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (const auto lasting = sync_all(folder_); !lasting)
      return lasting.error();
    const auto file =
      staging_folder(task_.library, task_.id, task_.epoch) / batch_index;
    fs::create_directories(file.parent_path(), error);
    if (const auto done = write_file_synced(file, text); !done)
      return done.error();
    return staged_file{file,
                       folder_ / batch_index,
                       static_cast<std::int64_t>(text.size()),
                       sha256_hex(text),
                       true,
                       library_id(task_.library)};
  }

  void quit() {
    heart_.stop();
    for (const auto& each : seats_)
      if (each)
        each->quit();
  }

  void conclude(attempt_outcome outcome) {
    const auto sink = std::exchange(sink_, nullptr);
    if (!sink)
      return;
    quit();
    if (std::holds_alternative<finished>(outcome))
      return sink->on_done(std::move(outcome));
    // Whoever hears of it may remove what there is.
    shut_gate([sink, outcome = std::move(outcome)]() mutable {
      sink->on_done(std::move(outcome));
    });
  }

  const image_batch_services& services_;
  const attempt_task task_;
  std::shared_ptr<attempt_sink> sink_;
  heartbeat heart_;
  const fs::path folder_;
  const std::shared_ptr<file_gate> gate_ = std::make_shared<file_gate>();
  std::shared_ptr<const batch_params> params_;
  std::vector<std::string> sources_;
  std::vector<std::string> names_; ///< of all images, without ending
  batch_ledger ledger_;
  std::vector<std::shared_ptr<batch_seat>> seats_;
  std::size_t next_ = 0; ///< source to begin
  bool syncing_ = false;
  bool finishing_ = false;
  clock::time_point remember_at_ = clock::now() + checkpoint_every;
};

} // namespace

std::unique_ptr<attempt> make_image_batch(const image_batch_services& services,
                                          attempt_task task,
                                          std::shared_ptr<attempt_sink> sink) {
  return std::make_unique<shared_work<batch_work>>(
    std::make_shared<batch_work>(services, std::move(task), std::move(sink)));
}

} // namespace troupe::media
