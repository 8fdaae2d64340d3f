#include "actors/system.hpp"

#include "actors/leftovers.hpp"
#include "actors/running_node.hpp"
#include "actors/scheduling.hpp"
#include "actors/store/folder_lock.hpp"
#include "config/log.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// What a manager may take beyond `drain_s`, and some for the rest.
constexpr auto drain_margin = 18s;
/// What everything may take to end when nobody drained it.
constexpr auto end_limit = 10s;

struct system_config : caf::actor_system_config {
  system_config() {
    add_message_types<caf::id_block::troupe>();
    schedule_actors(*this);
    set("scheduler.max-threads",
        std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 8));
    set("logger.console", caf::atom("none"));
  }
};

} // namespace

running_node::running_node(const config::settings& settings,
                           media::workbench& bench, config::metrics& metrics,
                           std::string id, store_opener open,
                           std::unique_ptr<store::job_store> store,
                           std::shared_ptr<store::spool> spool)
  : settings_(settings), bench_(bench), open_(std::move(open)),
    store_(std::move(store)), spool_(std::move(spool)),
    config_(std::make_unique<system_config>()),
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

void running_node::end(int status) {
  const std::lock_guard lock{mutex_};
  exit_status_ = status;
  changed_.notify_all();
}

void running_node::retire() {
  caf::anon_send(root_, retire_request{});
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
