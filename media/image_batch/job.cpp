#include "media/image_batch/job.hpp"

#include "media/download/json_read.hpp"
#include "media/files/digest.hpp"
#include "media/files/publish.hpp"
#include "media/files/sync.hpp"
#include "media/image_batch/files.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds beat_every{1};
constexpr std::chrono::seconds checkpoint_every{2};
constexpr std::chrono::seconds item_limit{60};
constexpr std::size_t most_errors = 100;

/// What is told of one source.
std::string line_of(const std::string& source,
                    const std::vector<std::string>& files,
                    const std::string& error) {
  json::object line{{"source", source}};
  if (!files.empty())
    line["files"] = json::array(files.begin(), files.end());
  if (!error.empty())
    line["error"] = error;
  return json::serialize(line) + '\n';
}

/// The work. Everything but construction and what is said to run elsewhere is
/// on the io thread. Invariants: the sink is set until `on_done`, or until
/// nobody listens; `lines_[i]` is set when source `i` is done, and all before
/// `done_` are; a seat works on one source, or is idle.
class batch_work : public std::enable_shared_from_this<batch_work> {
public:
  batch_work(const image_batch_services& services, attempt_task task,
             std::shared_ptr<attempt_sink> sink)
    : services_(services), task_(std::move(task)), sink_(std::move(sink)),
      heart_(services.threads.io()),
      folder_(task_.library / "images" / task_.id) {}

  void start() {
    on_io([](batch_work& me) { me.beat(); });
    on_files([](batch_work& me) {
      auto read = read_batch(me.task_.params, me.services_.images.rules());
      if (!read)
        return me.on_io_fail(read.error());
      const auto work = work_folder(me.task_.library, me.task_.id);
      auto listed = list_sources(*read, work, me.services_.library);
      if (!listed)
        return me.on_io_fail(listed.error());
      me.params_ = std::move(*read);
      me.sources_ = std::move(*listed);
      me.names_ = output_names(me.params_, me.sources_);
      const auto object = parse_object(me.task_.checkpoint);
      const auto done = object ? number_of(*object, "done") : 0;
      auto known =
        known_lines(work, static_cast<std::size_t>(std::max(done, 0.0)));
      if (!known)
        return me.on_io_fail(known.error());
      me.known_ = std::move(*known);
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
    });
  }

private:
  /// A place for a child, and the source that it works on.
  struct seat {
    std::unique_ptr<codec_child> child;
    std::size_t source = 0;
    std::shared_ptr<const image_input> input;
    std::vector<work_ptr> works;
    std::vector<std::size_t> of;  ///< their operations
    std::vector<cached_ptr> made; ///< by operation; null: not yet
    std::string error;
    bool again = false; ///< its child died of it once
  };

  template <class Call>
  void on_io(Call call) {
    asio::post(services_.threads.io(),
               [self = shared_from_this(), call] { call(*self); });
  }
  template <class Call>
  void on_files(Call call) {
    asio::post(services_.threads.files(),
               [self = shared_from_this(), call] { call(*self); });
  }
  void on_io_fail(const failure& why) {
    on_io([why](batch_work& me) { me.conclude(report_of_failure(why)); });
  }
  static failure_report report_of_failure(const failure& why) {
    const bool ours = why.code.category() == media_category();
    return {ours ? static_cast<errc>(why.code.value()) : errc::io_error,
            why.detail.empty() ? why.message() : why.detail, 0};
  }

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

  void begin() {
    if (!sink_)
      return;
    lines_.resize(sources_.size());
    take_known();
    next_ = done_;
    seats_.resize(std::max(services_.children, 1u));
    tell();
    for (std::size_t at = 0; at < seats_.size(); ++at)
      advance(at);
  }

  /// What an earlier attempt did, as far as its checkpoint says so.
  void take_known() {
    for (auto& line : known_)
      if (done_ < lines_.size())
        settle_line(done_, std::move(line));
    told_ = done_;
  }

  void settle_line(std::size_t source, std::string line) {
    failed_ += line.find("\"error\":") != line.npos;
    lines_[source] = std::move(line);
    while (done_ < lines_.size() && !lines_[done_].empty())
      ++done_;
    ++settled_;
  }

  void tell() {
    progress now;
    now.stage = "images";
    now.unit = "sources";
    now.done = static_cast<std::int64_t>(settled_);
    now.total = static_cast<std::int64_t>(sources_.size());
    now.fraction = sources_.empty() ? 1
                                    : static_cast<double>(settled_)
                                        / static_cast<double>(sources_.size());
    if (failed_ > 0)
      now.message = std::to_string(failed_) + " failed";
    sink_->on_progress(now);
  }

  // -- one source -------------------------------------------------------------

  void advance(std::size_t at) {
    if (!sink_)
      return;
    auto& it = seats_[at];
    if (next_ == sources_.size()) {
      it.child.reset();
      if (settled_ == sources_.size())
        finish();
      return;
    }
    auto child = std::move(it.child);
    it = {};
    it.child = std::move(child);
    it.source = next_++;
    it.made.resize(params_.operations.size());
    look(at, 0);
  }

  void look(std::size_t at, std::size_t operation) {
    auto& it = seats_[at];
    if (operation == params_.operations.size())
      return it.works.empty() ? write(at) : run(at);
    image_query query;
    query.options = params_.operations[operation].options;
    query.source = sources_[it.source];
    query.input = it.input;
    query.hurry = false;
    services_.images.find(
      std::move(query),
      [self = shared_from_this(), at, operation](result<image_found> found) {
        self->on_io([at, operation, found = std::move(found)](batch_work& me) {
          me.found(at, operation, found);
        });
      });
  }

  void found(std::size_t at, std::size_t operation,
             const result<image_found>& what) {
    if (!sink_)
      return;
    auto& it = seats_[at];
    if (!what) {
      it.error = what.error().message();
      return write(at);
    }
    if (what->image) {
      it.made[operation] = what->image;
    } else {
      it.input = what->work->input;
      it.works.push_back(what->work);
      it.of.push_back(operation);
    }
    look(at, operation + 1);
  }

  void run(std::size_t at) {
    auto& it = seats_[at];
    if (!it.child)
      it.child = services_.images.open_child(true);
    child_listener listener;
    listener.on_end = [self = shared_from_this(), at](child_end end) {
      self->ended(at, end);
    };
    it.child->run(services_.images.compose(it.works, item_limit),
                  std::move(listener));
  }

  void ended(std::size_t at, child_end& end) {
    if (!sink_)
      return;
    auto& it = seats_[at];
    if (end.code == errc::crashed) {
      const bool refused = services_.images.crashed(*it.works.front());
      if (!refused && !std::exchange(it.again, true))
        return run(at);
    }
    auto made = read_image_result(end.result);
    if (end.code != errc::none)
      it.error = std::string{code_of(end.code)} + ": " + end.message;
    else if (!made || made->outputs.size() != it.works.size())
      it.error = "the codec child's result cannot be read";
    else
      for (std::size_t i = 0; i < it.works.size(); ++i)
        take(it, it.of[i], made->outputs[i]);
    write(at);
  }

  static void take(seat& it, std::size_t operation, image_made& made) {
    if (made.code != errc::none) {
      it.error = std::string{code_of(made.code)} + ": " + made.message;
      return;
    }
    auto image = std::make_shared<cached_bytes>();
    image->note.kind = static_cast<std::uint8_t>(made.format);
    image->bytes = std::move(made.bytes);
    it.made[operation] = std::move(image);
  }

  void write(std::size_t at) {
    const auto& it = seats_[at];
    std::vector<std::pair<fs::path, cached_ptr>> files;
    for (std::size_t i = 0; i < it.made.size(); ++i)
      if (it.made[i]) {
        const auto& name = names_[it.source * it.made.size() + i];
        const auto ending =
          name_of(static_cast<image_format>(it.made[i]->note.kind));
        files.emplace_back(folder_ / (name + '.' + std::string{ending}),
                           it.made[i]);
      }
    on_files([at, files = std::move(files)](batch_work& me) {
      for (const auto& [file, image] : files)
        if (const auto done = write_whole(file, image->bytes); !done)
          return me.on_io_fail(done.error());
      std::vector<std::string> names;
      for (const auto& [file, image] : files)
        names.push_back(file.lexically_relative(me.folder_).string());
      me.on_io([at, names](batch_work& it2) { it2.written(at, names); });
    });
  }

  void written(std::size_t at, const std::vector<std::string>& names) {
    if (!sink_)
      return;
    const auto& it = seats_[at];
    settle_line(it.source, line_of(sources_[it.source], names, it.error));
    if (!it.error.empty()) {
      sink_->on_log(sources_[it.source] + ": " + it.error);
      if (params_.fail_fast)
        return conclude(failure_report{
          errc::invalid_media, sources_[it.source] + ": " + it.error, 0});
    }
    tell();
    remember();
    advance(at);
  }

  // -- all of them ------------------------------------------------------------

  /// What it tells of has to last first.
  void remember() {
    if (syncing_ || clock::now() < remember_at_)
      return;
    syncing_ = true;
    remember_at_ = clock::now() + checkpoint_every;
    std::string fresh;
    for (; told_ < done_; ++told_)
      fresh += lines_[told_];
    on_files([fresh, done = done_](batch_work& me) {
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
    std::string text;
    for (const auto& each : lines_)
      text += each;
    on_files([text](batch_work& me) {
      auto staged = me.stage(text);
      me.on_io([staged = std::move(staged)](batch_work& it) {
        if (!staged)
          return it.conclude(report_of_failure(staged.error()));
        it.conclude(finished{it.result_of(*staged), {*staged}});
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
      staging_folder(task_.library, task_.id, task_.epoch) / "images.jsonl";
    fs::create_directories(file.parent_path(), error);
    if (const auto done = write_file_synced(file, text); !done)
      return done.error();
    return staged_file{file,
                       folder_ / "images.jsonl",
                       static_cast<std::int64_t>(text.size()),
                       sha256_hex(text),
                       true,
                       library_id(task_.library)};
  }

  std::string result_of(const staged_file& index) const {
    json::array errors;
    std::size_t images = 0;
    for (const auto& line : lines_) {
      auto read = parse_object(line);
      if (!read)
        continue;
      if (const auto* files = array_of(*read, "files"))
        images += files->size();
      if (read->contains("error") && errors.size() < most_errors)
        errors.emplace_back(std::move(*read));
    }
    return json::serialize(json::object{{"folder", folder_.string()},
                                        {"path", index.final_path},
                                        {"size", index.size},
                                        {"sha256", index.sha256},
                                        {"sources", sources_.size()},
                                        {"images", images},
                                        {"failed", failed_},
                                        {"errors", std::move(errors)}});
  }

  void quit() {
    heart_.cancel();
    seats_.clear();
  }

  void conclude(attempt_outcome outcome) {
    const auto sink = std::exchange(sink_, nullptr);
    if (!sink)
      return;
    quit();
    sink->on_done(std::move(outcome));
  }

  const image_batch_services& services_;
  const attempt_task task_;
  std::shared_ptr<attempt_sink> sink_;
  asio::steady_timer heart_;
  const fs::path folder_;
  batch_params params_;
  std::vector<std::string> sources_;
  std::vector<std::string> names_; ///< of all images, without ending
  std::vector<std::string> lines_;
  std::vector<seat> seats_;
  std::size_t next_ = 0; ///< source to begin
  std::size_t done_ = 0; ///< all before are
  std::size_t settled_ = 0;
  std::size_t failed_ = 0;
  std::vector<std::string> known_; ///< lines of an earlier attempt
  std::size_t told_ = 0;           ///< lines that lie in the work folder
  bool syncing_ = false;
  bool finishing_ = false;
  clock::time_point remember_at_ = clock::now() + checkpoint_every;
};

class batch_attempt final : public attempt {
public:
  explicit batch_attempt(std::shared_ptr<batch_work> work)
    : work_(std::move(work)) {}
  ~batch_attempt() override {
    work_->abandon();
  }
  void start() override {
    work_->start();
  }
  void cancel(errc why) override {
    work_->stop(why);
  }

private:
  std::shared_ptr<batch_work> work_;
};

} // namespace

std::unique_ptr<attempt> make_image_batch(const image_batch_services& services,
                                          attempt_task task,
                                          std::shared_ptr<attempt_sink> sink) {
  return std::make_unique<batch_attempt>(
    std::make_shared<batch_work>(services, std::move(task), std::move(sink)));
}

} // namespace troupe::media
