#include "actors/callbacks.hpp"
#include "actors/crew.hpp"
#include "actors/extract.hpp"
#include "actors/hub.hpp"
#include "actors/job_log.hpp"
#include "actors/manager.hpp"
#include "actors/monitor.hpp"
#include "actors/renewer.hpp"
#include "actors/running_node.hpp"
#include "actors/stage.hpp"
#include "actors/stream_manager.hpp"
#include "media/image_batch/files.hpp"
#include "media/imaging/service.hpp"
#include "media/monitor/host_reader.hpp"
#include "media/stream/service.hpp"
#include "media/workbench.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

/// Which actors a node has, and what each is given.
namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// How soon a server sees what another has done to its jobs, and that a store
/// is frozen.
constexpr auto renewer_look = 250ms;
/// Jobs of a pool that somebody waits for, beside its slots: they are short.
constexpr std::uint32_t least_urgent = 2;

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// What another job has come to.
void tell_result(const result<store::job>& job,
                 const media::result_heard& heard) {
  if (!job && job.error().code == store::errc::not_found)
    return heard(fail(media::errc::source_not_found, "there is no such job"));
  if (!job)
    return heard(fail(media::errc::source_unavailable, job.error().message()));
  if (job->state == store::job_state::succeeded)
    return heard(job->result);
  heard(fail(store::is_terminal(job->state) ? media::errc::source_not_found
                                            : media::errc::source_unavailable,
             "that job is " + std::string{store::to_string(job->state)}));
}

job_bench bench_of(media::workbench& bench,
                   const std::filesystem::path& library) {
  job_bench on;
  on.on_file_thread = [&bench](auto work) {
    bench.on_file_thread(std::move(work));
  };
  on.publish = media::publish;
  on.discard_staging = [library](const std::string& id, std::uint64_t epoch) {
    media::discard_staging(library, id, epoch);
  };
  on.discard_job = [library](const std::string& id) {
    media::discard_batch(library, id);
    media::discard_job(library, id);
  };
  on.library = library;
  return on;
}

} // namespace

queue_options running_node::queue_plan(config::metrics& metrics,
                                       std::string id) {
  queue_options plan;
  plan.node = std::move(id);
  plan.lease_ms = from_seconds(settings_.store.lease_s).count();
  plan.open = [this]() -> result<std::unique_ptr<store::job_store>> {
    if (store_)
      return std::move(store_);
    return open_();
  };
  plan.board = board_;
  plan.spool = spool_;
  plan.stall = [&pools = settings_.pools](std::string_view type) {
    return from_seconds(type == "download" ? pools.download_stall_s
                                           : pools.stall_s);
  };
  plan.status = status_;
  plan.overload = {settings_.pools.max_age_s, settings_.pools.max_depth};
  plan.metrics = &metrics;
  return plan;
}

void running_node::plan_callbacks(root_options& plan) {
  plan.make_callbacks = [this, &sys = *sys_]() -> callback_actor {
    callback_options options;
    options.post = [this](media::callback_post what,
                          media::callback_heard heard) {
      bench_.post(std::move(what), std::move(heard));
    };
    options.max_attempts = settings_.callbacks.max_attempts;
    options.limit = from_seconds(settings_.callbacks.timeout_s) + 5s;
    return caf::actor_cast<callback_actor>(
      sys.spawn(callbacks, std::move(options)));
  };
}

void running_node::plan_crew(root_options& plan, config::metrics& metrics) {
  crew_options options;
  const auto cores = std::max(std::thread::hardware_concurrency(), 1u);
  const auto& from = settings_.images;
  options.children[0] = from.workers > 0 ? from.workers : cores;
  options.children[1] = from.batch_workers > 0 ? from.batch_workers : cores;
  options.most_waiting = from.max_waiting;
  options.images = &bench_.images();
  options.metrics = &metrics;
  plan.make_crew = [&sys = *sys_, options]() -> crew_actor {
    return caf::actor_cast<crew_actor>(sys.spawn(crew, options));
  };
}

void running_node::plan_streams(root_options& plan, config::metrics& metrics) {
  const auto& from = settings_.streams;
  stream_options options;
  auto& makers = options.registry;
  makers.parts = {&bench_.streams(), &metrics, from_seconds(from.stall_s)};
  makers.encoders = from.encoders > 0
                      ? from.encoders
                      : std::max(std::thread::hardware_concurrency(), 1u);
  makers.most_waiting = from.max_waiting;
  makers.ahead_s = from.ahead_s;
  makers.idle = from_seconds(from.run_idle_s);
  auto& sessions = options.sessions;
  sessions.streams = &bench_.streams();
  sessions.metrics = &metrics;
  sessions.settings = &from;
  sessions.wall = wall_clock;
  sessions.put = [this](store::stream_record record, reply_to<bool> reply) {
    edge_.put_stream(std::move(record), std::move(reply));
  };
  sessions.drop = [this](std::string id, reply_to<bool> reply) {
    edge_.drop_stream(std::move(id), std::move(reply));
  };
  sessions.result_of = [this](const std::string& job,
                              media::result_heard heard) {
    edge_.get(job, [heard = std::move(heard)](const result<store::job>& it) {
      tell_result(it, heard);
    });
  };
  sessions.tell = [this](event_batch events) {
    edge_.tell(std::move(events));
  };
  options.get = [this](std::string id, reply_to<store::stream_record> reply) {
    edge_.get_stream(std::move(id), std::move(reply));
  };
  plan.make_streams = [&sys = *sys_, options]() -> stream_actor {
    return caf::actor_cast<stream_actor>(sys.spawn(actors::streams, options));
  };
}

void running_node::plan_managers(root_options& plan, config::metrics& metrics) {
  struct row {
    const char* name;
    std::uint32_t slots, floor;
  };
  const auto& pools = settings_.pools;
  for (const auto& [name, slots, floor] :
       {row{"download", pools.download, pools.download_min},
        row{"video", pools.video, pools.video_min},
        row{"image", pools.image, pools.image_min},
        row{"bulk", pools.bulk, pools.bulk_min}}) {
    manager_options options{name, slots, from_seconds(pools.drain_s)};
    options.urgent =
      std::max(least_urgent, std::thread::hardware_concurrency());
    options.scale = scale_of(pools, floor);
    options.budget = budget_;
    options.declared = declared_cost;
    options.on_beat = [board = board_](const std::string& job,
                                       const store::fence& fence) {
      board->hear(job, fence, std::chrono::steady_clock::now());
    };
    options.metrics = &metrics;
    plan.make_managers.push_back([&sys = *sys_, options] {
      return caf::actor_cast<manager_actor>(sys.spawn(manager, options));
    });
  }
}

void running_node::plan_monitor(root_options& plan, config::metrics& metrics,
                                std::string id) {
  monitor_options options;
  options.node = std::move(id);
  options.name = machine_name();
  options.every = from_seconds(settings_.node.sample_s);
  auto reader = std::make_shared<media::host_reader>(
    std::vector<media::host_reader::named_folder>{
      {"data", settings_.data.dir}, {"library", settings_.library.dir}});
  options.read = [reader] {
    return reader->read(std::chrono::steady_clock::now());
  };
  options.alerts = settings_.alerts;
  options.min_disk = settings_.pools.min_disk;
  options.budget = budget_;
  options.store_up = [status = status_] {
    return status->store_up.load();
  };
  options.draining = [status = status_] {
    return status->draining.load();
  };
  options.metrics = &metrics;
  plan.make_monitor = [&sys = *sys_, options] {
    return caf::actor_cast<monitor_actor>(
      sys.spawn<caf::detached>(monitor, options));
  };
}

void running_node::plan_stage(root_options& plan) {
  auto bench = bench_of(bench_, settings_.library.dir);
  bench.make_attempt = [this](media::attempt_task task, auto sink) {
    task.result_of = [this](const std::string& job, media::result_heard heard) {
      edge_.get(job, [heard = std::move(heard)](const result<store::job>& it) {
        tell_result(it, heard);
      });
    };
    return bench_.make_attempt(std::move(task), std::move(sink));
  };
  bench.on_beat = [board = board_](const std::string& job,
                                   const store::fence& fence, bool over) {
    if (over)
      board->rest(job, fence);
    else
      board->hear(job, fence, std::chrono::steady_clock::now());
  };
  const auto on = std::make_shared<const job_bench>(std::move(bench));
  plan.make_stage = [&sys = *sys_, on]() -> stage_actor {
    return sys.spawn(stage, on);
  };
}

root_options running_node::plan(config::metrics& metrics, std::string id) {
  auto& sys = *sys_;
  root_options plan;
  plan_monitor(plan, metrics, id);
  plan.make_queue = [&sys, options = queue_plan(metrics, std::move(id))](
                      bool first) mutable -> queue_actor {
    options.adopt = first;
    return sys.spawn<caf::detached>(queue, options);
  };
  plan.make_hub = [this, &sys] {
    return spawn_hub(sys, settings_.events);
  };
  plan.make_renewer = [this, &sys]() -> renewer_actor {
    renewer_options options;
    options.lease_ms = from_seconds(settings_.store.lease_s).count();
    options.open = open_;
    options.board = board_;
    if (is_remote(store_options_of(settings_)))
      options.look_every = renewer_look;
    return sys.spawn<caf::detached>(renewer, std::move(options));
  };
  plan_stage(plan);
  plan.make_extract = [this, &sys]() -> extract_actor {
    extract_options options;
    options.look = [this](std::string url, media::extract_done done) {
      bench_.extract(std::move(url), std::move(done));
    };
    options.limit = 2 * std::chrono::seconds{settings_.tools.extract_timeout_s};
    return sys.spawn(extract, std::move(options));
  };
  plan_callbacks(plan);
  plan_crew(plan, metrics);
  plan_streams(plan, metrics);
  plan_managers(plan, metrics);
  plan.on_change = [this](edge_contacts now) {
    edge_.meet(std::move(now));
    const std::lock_guard lock{mutex_};
    started_ = true;
    changed_.notify_all();
  };
  plan.on_end = [this](int status) {
    end(status);
  };
  return plan;
}

} // namespace troupe::actors
