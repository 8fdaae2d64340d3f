#include "actors/store/json_text.hpp"
#include "net/edge.hpp"
#include "net/openapi.hpp"
#include "net/routes.hpp"

#include <algorithm>

namespace troupe::net {

namespace {

using namespace std::chrono_literals;
using queue_depths = std::vector<store::queue_depth>;
using clock = std::chrono::steady_clock;

/// A part that has no answer for so long is not ready.
constexpr auto probe_limit = 2s;

boost::asio::awaitable<result<queue_depths>> ask_depths(edge& at) {
  auto start = [&at](actors::reply_to<queue_depths> reply) {
    at.parts.gateway.depths(std::move(reply));
  };
  co_return co_await at.asks.ask<queue_depths>(probe_limit, start);
}

std::string_view to_string(part_health state) {
  switch (state) {
  case part_health::ready:
    return "ready";
  case part_health::degraded:
    return "degraded";
  case part_health::failed:
    break;
  }
  return "failed";
}

/// What the store itself says, and what it holds of callbacks.
boost::asio::awaitable<std::vector<part_state>> ask_store(edge& at) {
  const auto depths = co_await ask_depths(at);
  std::vector<part_state> out;
  if (!depths) {
    out.push_back({"store", part_health::failed, depths.error().message()});
    out.push_back(
      {"callbacks", part_health::degraded, "they wait for the store"});
    co_return out;
  }
  auto start = [&at](actors::reply_to<std::vector<store::callback>> reply) {
    at.parts.gateway.dead_callbacks({}, 1, std::move(reply));
  };
  const auto dead =
    co_await at.asks.ask<std::vector<store::callback>>(probe_limit, start);
  out.push_back({"store", part_health::ready, {}});
  const bool given_up = dead && !dead->empty();
  out.push_back({"callbacks", part_health::ready,
                 given_up ? "some were given up, see /v1/callbacks" : ""});
  co_return out;
}

/// Without an answer images fail, and all else goes on.
boost::asio::awaitable<part_state> ask_crew(edge& at) {
  auto start = [&at](actors::reply_to<actors::crew_figures> reply) {
    at.parts.crew->crew(std::move(reply));
  };
  const auto now =
    co_await at.asks.ask<actors::crew_figures>(probe_limit, start);
  if (!now)
    co_return part_state{"crew", part_health::degraded, now.error().message()};
  co_return part_state{
    "crew", part_health::ready,
    std::to_string(now->page.children + now->batch.children) + " children, "
      + std::to_string(now->page.waiting + now->batch.waiting)
      + " images wait"};
}

void append_part(std::string& out, const part_state& part) {
  json::append_string(out, part.name);
  out += R"(:{"state":)";
  json::append_string(out, to_string(part.state));
  out += R"(,"detail":)";
  json::append_string(out, part.detail);
  out += '}';
}

response readiness(const std::vector<part_state>& parts, bool draining) {
  const bool ready =
    !draining
    && std::ranges::find(parts, part_health::failed, &part_state::state)
         == parts.end();
  response out;
  out.status = ready ? 200 : 503;
  out.body = R"({"status":)";
  json::append_string(out.body, draining ? "draining"
                                : ready  ? "ready"
                                         : "not_ready");
  out.body += R"(,"parts":{)";
  for (const auto& part : parts) {
    if (&part != &parts.front())
      out.body += ',';
    append_part(out.body, part);
  }
  out.body += "}}";
  if (!ready)
    out.headers.emplace_back("Retry-After", "1");
  return out;
}

void set_depths(config::metrics& metrics, const queue_depths& depths) {
  for (const auto& queue : depths) {
    for (std::size_t i = 0; i < store::job_state_count; ++i)
      metrics.queue_depth(queue.queue,
                          store::to_string(static_cast<store::job_state>(i)),
                          queue.by_state[i]);
    metrics.queue_oldest_age(queue.queue, "queued",
                             static_cast<double>(queue.oldest_age_ms) / 1000);
  }
}

void set_images(edge& at) {
  auto& metrics = at.parts.metrics;
  const auto now = at.parts.images->figures();
  const auto tell = [&metrics](std::string_view tier, const auto& of) {
    metrics.image_cache(tier, of.entries, of.bytes, of.evicted, of.broken,
                        of.dropped);
  };
  tell("memory", now.memory);
  tell("disk", now.disk);
  const auto saved_s = now.saved_ms / 1000;
  metrics.image_saved(saved_s - at.saved_s);
  at.saved_s = saved_s;
}

/// Sets what is read at a scrape, at most once a second however many ask.
boost::asio::awaitable<void> refresh(edge& at) {
  if (clock::now() - at.depths_at < 1s)
    co_return;
  at.depths_at = clock::now();
  const auto depths = co_await ask_depths(at);
  if (depths)
    set_depths(at.parts.metrics, *depths);
  auto start = [&at](actors::reply_to<actors::hub_figures> reply) {
    at.parts.gateway.figures(std::move(reply));
  };
  const auto figures =
    co_await at.asks.ask<actors::hub_figures>(probe_limit, start);
  if (figures)
    at.parts.metrics.event_log(figures->topics, figures->log_bytes);
  if (at.images)
    set_images(at);
  if (at.parts.stream_figures)
    at.parts.stream_figures(at.parts.metrics);
}

} // namespace

answering show_health(edge&, const request&, const path_params&) {
  response out;
  out.body = R"({"status":"ok"})";
  co_return out;
}

answering show_readiness(edge& at, const request&, const path_params&) {
  auto parts = co_await ask_store(at);
  if (at.parts.crew) {
    auto crew = co_await ask_crew(at);
    parts.push_back(std::move(crew));
  }
  if (at.parts.health)
    for (auto& part : at.parts.health())
      parts.push_back(std::move(part));
  co_return readiness(parts, at.draining);
}

answering show_metrics(edge& at, const request&, const path_params&) {
  co_await refresh(at);
  response out;
  out.content_type = "text/plain; version=0.0.4; charset=utf-8";
  out.body = at.parts.metrics.text();
  co_return out;
}

answering show_openapi(edge&, const request&, const path_params&) {
  response out;
  out.body = openapi_document();
  co_return out;
}

answering show_asyncapi(edge&, const request&, const path_params&) {
  response out;
  out.body = asyncapi_text();
  co_return out;
}

} // namespace troupe::net
