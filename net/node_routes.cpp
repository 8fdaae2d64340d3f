#include "actors/store/json_text.hpp"
#include "net/route_parts.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::net {

namespace {

using actors::nodes_reply;

boost::asio::awaitable<result<nodes_reply>> ask_nodes(edge& at) {
  auto call = [](actors::gateway& to, auto reply) {
    to.nodes(std::move(reply));
  };
  co_return co_await ask<nodes_reply>(at, call);
}

double seconds_since(double started) {
  const std::chrono::duration<double> now =
    std::chrono::system_clock::now().time_since_epoch();
  return std::max(0.0, now.count() - started);
}

response text_answer(std::string json) {
  response out;
  out.body = std::move(json);
  return out;
}

} // namespace

answering list_nodes(edge& at, const request&, const path_params&) {
  const auto all = co_await ask_nodes(at);
  if (!all)
    co_return answer(problem_of(all.error()));
  co_return text_answer(actors::nodes_json(*all));
}

/// This server's node alone: no other can be told from here.
answering drain_node(edge& at, const request& req, const path_params& path) {
  if (has_body(req))
    co_return refuse_body();
  auto all = co_await ask_nodes(at);
  if (!all)
    co_return answer(problem_of(all.error()));
  auto& own = all->nodes.at(0);
  if (own.id != path["id"])
    co_return not_found("no node has this id");
  at.draining = true;
  if (at.parts.retire)
    at.parts.retire();
  own.draining = true;
  co_return json_answer(own);
}

answering list_alerts(edge& at, const request&, const path_params&) {
  const auto all = co_await ask_nodes(at);
  if (!all)
    co_return answer(problem_of(all.error()));
  co_return text_answer(actors::alerts_json(*all));
}

/// This server: the first of the nodes.
answering show_system(edge& at, const request&, const path_params&) {
  const auto all = co_await ask_nodes(at);
  if (!all)
    co_return answer(problem_of(all.error()));
  const auto& node = all->nodes.at(0);
  std::string out = R"({"version":)";
  json::append_string(out, TROUPE_VERSION);
  out += R"(,"node":)";
  json::append_string(out, node.id);
  out += R"(,"uptime_s":)";
  json::append_number(out, seconds_since(node.host.started));
  out += ',';
  actors::append_host(out, node.host);
  out += '}';
  co_return text_answer(std::move(out));
}

} // namespace troupe::net
