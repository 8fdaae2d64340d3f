#include "media/transcode/ending.hpp"

#include "media/av/join_task.hpp"
#include "media/download/await_files.hpp"
#include "media/files/digest.hpp"
#include "media/files/publish.hpp"
#include "media/files/sync.hpp"
#include "media/probe/source_file.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;

/// Of films of any length; they tell how far they are meanwhile.
constexpr std::chrono::minutes ending_life{120};
constexpr std::chrono::minutes ending_stall{2};
/// Beside its segments: heads and indexes.
constexpr std::uint64_t room_for_index = 64u << 20;

child_task long_task(const char* name, std::string params) {
  child_task task;
  task.name = name;
  task.params = std::move(params);
  task.life = task.cpu = ending_life;
  task.stall = ending_stall;
  return task;
}

std::string join_params(const transcode_plan& plan) {
  av_join_order order;
  order.container = plan.container;
  for (const auto& line : plan.tracks()) {
    av_join_track track;
    track.track = static_cast<std::uint8_t>(order.tracks.size());
    track.video = line->kind == av_kind::video;
    track.primed = !track.video;
    track.end_us = std::llround(line->begin_s(line->segments()) * 1e6);
    order.tracks.push_back(track);
  }
  return encode_av_join(order);
}

json::object facts_view(const media_facts& facts) {
  json::object view{{"duration_s", facts.duration_s},
                    {"container", facts.container},
                    {"video", nullptr},
                    {"audio", nullptr}};
  if (const auto& video = facts.video)
    view["video"] = {{"codec", video->codec},
                     {"width", video->width},
                     {"height", video->height},
                     {"fps", video->fps}};
  if (const auto& audio = facts.audio)
    view["audio"] = {{"codec", audio->codec},
                     {"channels", audio->channels},
                     {"sample_rate", audio->sample_rate}};
  return view;
}

} // namespace

transcode_ending::transcode_ending(const transcode_services& services,
                                   const attempt_task& task,
                                   const transcode_params& params,
                                   std::shared_ptr<const transcode_plan> plan,
                                   std::shared_ptr<pack_file> pack,
                                   std::shared_ptr<child_step> child)
  : services_(services), task_(task), params_(params), plan_(std::move(plan)),
    pack_(std::move(pack)), child_(std::move(child)),
    file_(staging_folder(task.library, task.id, task.epoch)
          / ("media." + ending_of(*plan_))) {}

asio::awaitable<attempt_outcome> transcode_ending::run() {
  on_stage("join");
  if (auto joined = co_await join(); !joined)
    co_return joined.error();
  on_stage("check");
  const av_check_order wanted{plan_->video != nullptr, plan_->audio != nullptr,
                              plan_->duration_s};
  auto check = long_task("av_check", encode_av_check(wanted));
  if (auto good = co_await ask(std::move(check)); !good)
    co_return good.error();
  auto probe = long_task("probe", {});
  auto told = co_await ask(std::move(probe));
  if (!told)
    co_return told.error();
  on_stage("publish");
  const auto work = [this, facts = read_media_facts(*told)] {
    return stage(facts);
  };
  auto staged = co_await on_file_thread(services_.threads.files(), work);
  if (!staged)
    co_return report_of(staged.error());
  co_return std::move(*staged);
}

/// Runs a task on the file, unless it was given files of its own.
asio::awaitable<step<std::string>> transcode_ending::ask(child_task task,
                                                         std::uint64_t writes) {
  if (task.files.empty()) {
    const auto open = [this] {
      return open_file();
    };
    auto file = co_await on_file_thread(services_.threads.files(), open);
    if (!file)
      co_return report_of(file.error());
    task.files.push_back(std::move(*file));
  }
  if (is_stopped())
    co_return failure_report{};
  auto end = co_await child_->run(services_.children, std::move(task),
                                  child_rank::batch, writes);
  used.cpu_s += end.usage.cpu_s;
  used.max_memory = std::max(used.max_memory, end.usage.max_memory);
  if (end.code != errc::none)
    co_return failure_report{end.code, std::move(end.message), 0};
  co_return std::move(end.result);
}

asio::awaitable<step<void>> transcode_ending::join() {
  const auto open = [this] {
    return begin_files();
  };
  auto files = co_await on_file_thread(services_.threads.files(), open);
  if (!files)
    co_return report_of(files.error());
  auto task = long_task("av_join", join_params(*plan_));
  task.files = std::move(*files);
  const auto room = pack_->size() + pack_->size() / 8 + room_for_index;
  auto done = co_await ask(std::move(task), room);
  if (!done)
    co_return done.error();
  co_return step<void>{};
}

/// What is read, and what is written.
result<std::vector<descriptor>> transcode_ending::begin_files() const {
  std::error_code error;
  fs::create_directories(file_.parent_path(), error);
  std::vector<descriptor> files;
  files.push_back(pack_->reader());
  files.emplace_back(::open(
    file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!files.front() || !files.back())
    return file_failure(file_);
  return files;
}

result<descriptor> transcode_ending::open_file() const {
  return open_media_file(file_);
}

/// Blocks.
result<finished> transcode_ending::stage(const media_facts& facts) const {
  if (const auto lasting = sync_path(file_); !lasting)
    return lasting.error();
  if (const auto lasting = sync_path(file_.parent_path()); !lasting)
    return lasting.error();
  const auto digest = digest_of(file_);
  if (!digest)
    return digest.error();
  const auto fields = name_fields_of(params_, *plan_, task_.id);
  const auto path =
    task_.library / (file_stem(params_.filename, fields) + "." + fields.ext);
  auto told = facts_view(facts);
  told["path"] = path.string();
  told["size"] = digest->size;
  told["sha256"] = digest->sha256;
  told["title"] = fields.title;
  told["source"] = params_.source;
  told["profile"] = params_.profile;
  return finished{json::serialize(told),
                  {staged_file{file_, path, digest->size, digest->sha256, false,
                               library_id(task_.library)}}};
}

} // namespace troupe::media
