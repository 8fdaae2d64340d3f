#include "actors/system.hpp"

#include "actors/auditor.hpp"
#include "actors/callbacks.hpp"
#include "actors/crew.hpp"
#include "actors/edge.hpp"
#include "actors/extract.hpp"
#include "actors/hub.hpp"
#include "actors/leftovers.hpp"
#include "actors/manager.hpp"
#include "actors/monitor.hpp"
#include "actors/node_budget.hpp"
#include "actors/queue.hpp"
#include "actors/renewer.hpp"
#include "actors/root.hpp"
#include "actors/stage.hpp"
#include "actors/store/folder_lock.hpp"
#include "actors/store/shared_store.hpp"
#include "config/log.hpp"
#include "media/imaging/service.hpp"
#include "media/job_types.hpp"
#include "media/monitor/host_reader.hpp"
#include "media/workbench.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// What a manager may take beyond `drain_s`, and some for the rest.
constexpr auto drain_margin = 18s;
/// What everything may take to end when nobody drained it.
constexpr auto end_limit = 10s;
/// How soon a server sees what another has done to its jobs, and that a store
/// is frozen.
constexpr auto look_every = 250ms;

struct system_config : caf::actor_system_config {
  system_config() {
    add_message_types<caf::id_block::troupe>();
    // Does not spin when idle, and no worker waits behind a busy one.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads",
        std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 8));
    set("logger.console", caf::atom("none"));
  }
};

std::chrono::milliseconds from_seconds(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

store::store_options store_options_of(const config::settings& settings) {
  const auto& from = settings.store;
  store::store_options to;
  to.url = from.url.empty()
             ? "sqlite:" + (settings.data.dir / "queue.db").string()
             : from.url;
  to.lease_ms = from_seconds(from.lease_s).count();
  to.ageing_ms = from_seconds(from.ageing_s).count();
  to.timeout_ms = from_seconds(from.timeout_s).count();
  to.retention_ms = std::int64_t{from.retention_days} * 24 * 3600 * 1000;
  to.retention_count = from.retention_count;
  to.max_queued = from.max_queued;
  return to;
}

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// Its disks are looked at again and again.
media::job_cost budget_of(const config::node_settings& node) {
  const auto host =
    media::host_reader{{}}.read(std::chrono::steady_clock::now());
  media::job_cost all;
  all.cpu = node.cpus > 0 ? node.cpus : host.cores;
  all.memory = node.memory_mb > 0 ? node.memory_mb << 20 : host.memory / 5 * 4;
  all.bandwidth = node.bandwidth_mbit * 125000;
  return all;
}

media::job_cost declared_cost(std::string_view type) {
  const auto* known = media::find_job_type(type);
  return known ? known->cost : media::job_cost{};
}

scale_limits scale_of(const config::pool_settings& pools, std::uint32_t floor) {
  scale_limits limits;
  limits.floor = floor;
  limits.grow_after_s = pools.grow_after_s;
  limits.shrink_after_s = pools.shrink_after_s;
  limits.max_cpu = pools.max_cpu;
  limits.min_memory = pools.min_memory;
  limits.min_disk = pools.min_disk;
  return limits;
}

/// Whether other servers may work on it, and whether it can go away.
bool is_remote(const store::store_options& options) {
  return !options.url.starts_with("sqlite:") && options.url != "memory:";
}

/// Opens a store as often as asked.
std::function<result<std::unique_ptr<store::job_store>>()>
opener_of(store::store_options options) {
  if (options.url != "memory:")
    return [options = std::move(options)] {
      return store::open_store(options);
    };
  auto core = std::make_shared<store::shared_store::core>();
  return [options = std::move(options),
          core]() -> result<std::unique_ptr<store::job_store>> {
    const std::lock_guard lock{core->mutex};
    if (!core->store) {
      auto opened = store::open_store(options);
      if (!opened)
        return opened;
      core->store = std::move(*opened);
    }
    return std::make_unique<store::shared_store>(core);
  };
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
    media::discard_job(library, id);
  };
  on.library = library;
  return on;
}

/// Invariant: the system is gone before what it was given; `status_` is set
/// once, by the root's last act.
class running_node final : public node {
public:
  /// @param store null: it is away, and opened when it answers
  running_node(const config::settings& settings, media::workbench& bench,
               config::metrics& metrics, std::string id,
               std::function<result<std::unique_ptr<store::job_store>>()> open,
               std::unique_ptr<store::job_store> store,
               std::shared_ptr<store::spool> spool)
    : settings_(settings), bench_(bench), open_(std::move(open)),
      store_(std::move(store)), spool_(std::move(spool)),
      sys_(std::make_unique<caf::actor_system>(*config_)),
      edge_(*sys_, settings.events, settings.edge.max_in_flight) {
    if (store_) {
      status_->reaches = store_->level();
      status_->store_up = true;
    }
    budget_ = std::make_shared<node_budget>(budget_of(settings.node));
    root_ = sys_->spawn(root, plan(metrics, std::move(id)));
    start_audits(metrics);
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return started_; });
  }

  ~running_node() override;

  gateway& edge() override {
    return edge_;
  }

  image_desk& images() override {
    return edge_;
  }

  readiness ready() const override {
    return {.store = status_->store_up,
            .remote = spool_ != nullptr,
            .spool = !status_->spool_failed,
            .spooled = status_->spooled,
            .spooled_bytes = status_->spooled_bytes,
            .draining = drain_until_.load() != none};
  }

  store::durability reaches() const override {
    return status_->reaches;
  }

  void drain() override;
  std::optional<int> wait_for(std::chrono::milliseconds limit) override;
  int wait() override;

private:
  using clock = std::chrono::steady_clock;
  static constexpr clock::time_point none{};

  root_options plan(config::metrics& metrics, std::string id);
  void plan_callbacks(root_options& plan);
  void plan_crew(root_options& plan, config::metrics& metrics);
  void plan_stage(root_options& plan);
  void plan_managers(root_options& plan, config::metrics& metrics);
  void plan_monitor(root_options& plan, config::metrics& metrics,
                    std::string id);
  queue_options queue_plan(config::metrics& metrics, std::string id);
  void start_audits(config::metrics& metrics);
  void end(int status);

  const config::settings& settings_;
  media::workbench& bench_;
  const std::function<result<std::unique_ptr<store::job_store>>()> open_;
  std::unique_ptr<store::job_store> store_;   ///< until the queue takes it
  const std::shared_ptr<store::spool> spool_; ///< null: the store is here
  std::shared_ptr<lease_board> board_ = std::make_shared<lease_board>();
  std::shared_ptr<node_budget> budget_;
  std::shared_ptr<queue_status> status_ = std::make_shared<queue_status>();
  std::unique_ptr<system_config> config_ = std::make_unique<system_config>();
  std::unique_ptr<caf::actor_system> sys_;
  class edge edge_;
  root_actor root_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false; ///< the edge knows whom to ask
  std::optional<int> exit_status_;
  std::atomic<clock::time_point> drain_until_{none};
  std::unique_ptr<auditor> auditor_;
};

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

/// A store in memory is its queue's alone.
void running_node::start_audits(config::metrics& metrics) {
  if (settings_.store.url == "memory:")
    return;
  auditor_ = std::make_unique<auditor>(auditor_options{
    [this] { return store::open_store(store_options_of(settings_)); }, &metrics,
    [library = settings_.library.dir](store::job_store& store) -> result<void> {
      if (const auto done = remove_leftovers(store, library); !done)
        return done.error();
      return {};
    }});
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
      options.look_every = look_every;
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

void running_node::end(int status) {
  const std::lock_guard lock{mutex_};
  exit_status_ = status;
  changed_.notify_all();
}

void running_node::drain() {
  auto expected = none;
  const auto until =
    clock::now() + from_seconds(settings_.pools.drain_s) + drain_margin;
  if (drain_until_.compare_exchange_strong(expected, until))
    caf::anon_send(root_, drain_request{});
}

std::optional<int> running_node::wait_for(std::chrono::milliseconds limit) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, limit, [this] { return exit_status_.has_value(); });
  const auto until = drain_until_.load();
  if (!exit_status_ && until != none && clock::now() > until)
    return 1;
  return exit_status_;
}

int running_node::wait() {
  for (;;)
    if (const auto status = wait_for(500ms))
      return *status;
}

running_node::~running_node() {
  caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
  root_ = nullptr;
  std::unique_lock lock{mutex_};
  const bool ended = changed_.wait_for(
    lock, end_limit, [this] { return exit_status_.has_value(); });
  lock.unlock();
  if (ended)
    return;
  // They use what goes with us, so nobody may go on.
  log::error("some actors do not end");
  std::_Exit(1);
}

} // namespace

result<std::unique_ptr<node>> node::open(const config::settings& settings,
                                         media::workbench& bench,
                                         config::metrics& metrics) {
  auto id = store::node_id_of(settings.data.dir);
  if (!id)
    return id.error();
  const auto options = store_options_of(settings);
  // An earlier life has worked with a remote store: nothing is misspelt.
  const auto spool_file = settings.data.dir / "spool.db";
  auto open = opener_of(options);
  auto opened = open();
  std::unique_ptr<store::job_store> store;
  if (opened)
    store = std::move(*opened);
  else if (opened.error().code != store::errc::unavailable
           || !is_remote(options) || !std::filesystem::exists(spool_file))
    return opened.error();
  else
    log::warn("the job store is away: going on with what is here",
              {{"error", opened.error().message()}});
  std::shared_ptr<store::spool> spool;
  if (is_remote(options)) {
    auto held =
      store::spool::open(spool_file.string(), settings.spool.max_bytes);
    if (!held)
      return held.error();
    spool = std::move(*held);
  }
  return std::make_unique<running_node>(settings, bench, metrics,
                                        std::move(*id), std::move(open),
                                        std::move(store), std::move(spool));
}

} // namespace troupe::actors
