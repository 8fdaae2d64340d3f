#include "actors/system.hpp"
#include "config/log.hpp"
#include "config/metrics.hpp"
#include "media/stream/service.hpp"
#include "media/tool/tool.hpp"
#include "media/workbench.hpp"
#include "net/cli/api.hpp"
#include "net/cli/commands.hpp"
#include "net/cli/data_folder.hpp"
#include "net/server.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

namespace troupe::cli {

namespace {

using namespace std::chrono_literals;

/// What is left of connections after the last job has ended.
constexpr auto connection_grace = 1s;

/// The signals that end a server, taken by the main thread alone. Made before
/// any thread, which inherit the mask.
class ending_signals {
public:
  ending_signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    sigprocmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  /// True if one came in time.
  bool wait(std::chrono::milliseconds limit) const {
    const timespec time{limit.count() / 1000, limit.count() % 1000 * 1'000'000};
    return sigtimedwait(&set_, nullptr, &time) > 0;
  }

private:
  sigset_t set_{};
};

/// Connections, tools and files take descriptors: as many as we may have.
void raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// Looks anew each time: what was missing may have been installed.
net::part_state tool_state(const config::tool_settings& tools) {
  std::string missing;
  for (const auto& name : {tools.yt_dlp, tools.python, tools.ffmpeg})
    if (media::find_program(name).empty())
      missing += (missing.empty() ? "not found: " : ", ") + name;
  // Jobs that need them fail with `tool_missing`; the server serves.
  return {"tools",
          missing.empty() ? net::part_health::ready
                          : net::part_health::degraded,
          missing};
}

/// Its children outlive it, and tasks wait for the next one.
net::part_state zygote_state(const media::workbench& bench) {
  if (bench.has_zygote())
    return {"zygote", net::part_health::ready, {}};
  return {"zygote", net::part_health::degraded, "being replaced"};
}

net::part_state spool_state(const actors::readiness& now) {
  if (!now.remote)
    return {"spool", net::part_health::ready,
            "none is needed: the store is on this machine"};
  const auto state =
    now.spool ? net::part_health::ready : net::part_health::failed;
  return {"spool", state,
          std::to_string(now.spooled) + " operations wait for the store, "
            + std::to_string(now.kept) + " are kept until it has synced them, "
            + std::to_string(now.spooled_bytes) + " bytes"};
}

std::string url_of(const std::string& listen, std::uint16_t port) {
  return "http://" + listen.substr(0, listen.rfind(':') + 1)
         + std::to_string(port);
}

int refuse(const failure& why) {
  complain(why.message());
  return exit_failed;
}

/// Waits for a signal, or for the actors to give up.
void serve_until_asked(const ending_signals& signals, actors::node& node) {
  while (!signals.wait(500ms))
    if (node.wait_for(0ms))
      return log::error("The actors gave up");
}

/// Lets running jobs end. A second signal ends the process at once; whatever
/// it ran dies with it.
int drain(const ending_signals& signals, actors::node& node,
          net::server& server, data_folder& folder) {
  log::info("Draining; once more to stop at once");
  server.drain();
  node.drain();
  auto code = node.wait_for(0ms);
  while (!code) {
    if (signals.wait(20ms)) {
      log::warn("Stopped without draining");
      folder.retract();
      std::_Exit(exit_failed);
    }
    code = node.wait_for(0ms);
  }
  folder.retract();
  server.stop(connection_grace);
  log::info("Stopped");
  return *code;
}

int serve_with(const config::settings& settings, const ending_signals& signals,
               data_folder& folder) {
  // Before any work is claimed: a server that cannot start leaves none behind.
  auto bound = net::listener::open(settings.http.listen);
  if (!bound)
    return refuse(bound.error());
  config::metrics metrics;
  auto bench = media::workbench::open(
    settings, metrics, std::filesystem::read_symlink("/proc/self/exe"));
  if (!bench)
    return refuse(bench.error());
  auto node = actors::node::open(settings, **bench, metrics);
  if (!node)
    return refuse(node.error());
  const media::address_guard guard{settings.sources};
  net::server server{
    settings.http,
    {.gateway = (*node)->edge(),
     .metrics = metrics,
     .guard = guard,
     .library = settings.library.dir,
     .durability = [&node] { return (*node)->reaches(); },
     .health =
       [&settings, &node, &bench] {
         return std::vector{tool_state(settings.tools), zygote_state(**bench),
                            spool_state((*node)->ready())};
       },
     .image_settings = &settings.images,
     .images = &(*bench)->images(),
     .crew = &(*node)->images(),
     .stream_settings = &settings.streams,
     .stream_signer = &(*bench)->streams().signer(),
     .streams = &(*node)->streams(),
     .stream_figures =
       [&bench](config::metrics& to) {
         const auto now = (*bench)->streams().figures();
         for (const auto& [tier, of] :
              {std::pair{"memory", now.memory}, std::pair{"disk", now.disk}})
           to.segment_cache(tier, of.entries, of.bytes, of.evicted, of.broken,
                            of.dropped);
       },
     .bandwidth = &settings.bandwidth,
     .retire =
       [&node] {
         (*node)->retire();
       }}};
  const auto port = server.listen(std::move(*bound));
  if (!port)
    return refuse(port.error());
  server.run();
  const auto url = url_of(settings.http.listen, *port);
  if (auto told = folder.announce(url); !told)
    return refuse(told.error());
  log::info("Ready", {{"url", url}, {"data", settings.data.dir.string()}});
  std::cout << "Troupe serves at " << url << std::endl;
  serve_until_asked(signals, **node);
  return drain(signals, **node, server, folder);
}

} // namespace

int serve(const config_options& options) {
  const auto settings = read_settings(options);
  if (!settings)
    return exit_usage;
  log::start(settings->log);
  for (const auto& doubt : doubts_of(*settings))
    log::warn(doubt);
  const ending_signals signals;
  raise_open_files();
  auto folder = data_folder::hold(settings->data.dir);
  if (!folder)
    return refuse(folder.error());
  return serve_with(*settings, signals, *folder);
}

} // namespace troupe::cli
