#include "net/client_requests.hpp"

#include "actors/store/job_json.hpp"
#include "actors/store/json_text.hpp"
#include "net/edge.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace troupe::net {

namespace {

namespace asio = boost::asio;

/// The result as JSON, or why there is none.
using outcome_text = std::variant<std::string, problem>;

std::chrono::milliseconds limit_of(const edge& at) {
  return std::chrono::seconds{at.settings.request_timeout_s};
}

std::string head_of(std::string_view op, std::string_view id) {
  return std::string{"{\"op\":\""}
    .append(op)
    .append("\",\"id\":")
    .append(id.empty() ? "null" : id);
}

outcome_text text_of(const result<store::job>& job) {
  if (!job)
    return problem_of(job.error());
  return store::to_json(*job);
}

std::optional<problem> fault_of(const edge& at, const submit_request& asked) {
  if (!asked.idempotency_key.empty()
      && !is_idempotency_key(asked.idempotency_key))
    return problem{problem_code::invalid_params,
                   "idempotency_key must be 1 to 255 visible characters"};
  return durability_fault(asked, at.parts.durability);
}

asio::awaitable<outcome_text> submit(edge& at, std::string params) {
  if (at.draining)
    co_return problem{problem_code::draining, "the server stops"};
  auto read = at.submits.read(params, true);
  if (auto* fault = std::get_if<problem>(&read))
    co_return std::move(*fault);
  auto& asked = std::get<submit_request>(read);
  if (auto fault = fault_of(at, asked))
    co_return std::move(*fault);
  store::submit_op op;
  if (!asked.idempotency_key.empty())
    op.idempotency =
      idempotency_of({}, "/v1/ws", asked.idempotency_key, params);
  op.draft = std::move(asked.draft);
  op.asked = asked.durability.value_or(store::durability::memory);
  op.strict = asked.durability_strict;
  auto start = [&at, &op](actors::reply_to<actors::submit_reply> reply) {
    at.parts.gateway.submit(std::move(op), std::move(reply));
  };
  const auto done =
    co_await at.asks.ask<actors::submit_reply>(limit_of(at), start);
  if (!done)
    co_return problem_of(done.error());
  co_return store::to_json(*done->job);
}

asio::awaitable<outcome_text> get(edge& at, std::string params) {
  auto read = read_job_id(params);
  if (auto* fault = std::get_if<problem>(&read))
    co_return std::move(*fault);
  auto start = [&at, &read](actors::reply_to<store::job> reply) {
    at.parts.gateway.get(std::get<std::string>(read), std::move(reply));
  };
  const auto job = co_await at.asks.ask<store::job>(limit_of(at), start);
  co_return text_of(job);
}

asio::awaitable<outcome_text> cancel(edge& at, std::string params) {
  auto read = read_job_id(params);
  if (auto* fault = std::get_if<problem>(&read))
    co_return std::move(*fault);
  auto start = [&at, &read](actors::reply_to<store::job> reply) {
    at.parts.gateway.command(actors::job_command_kind::cancel,
                             std::get<std::string>(read), std::move(reply));
  };
  const auto job = co_await at.asks.ask<store::job>(limit_of(at), start);
  co_return text_of(job);
}

asio::awaitable<outcome_text> list(edge& at, std::string params) {
  auto read = read_list_query(params);
  if (auto* fault = std::get_if<problem>(&read))
    co_return std::move(*fault);
  auto start = [&at, &read](actors::reply_to<store::job_page> reply) {
    at.parts.gateway.list(std::get<store::list_query>(std::move(read)),
                          std::move(reply));
  };
  const auto page = co_await at.asks.ask<store::job_page>(limit_of(at), start);
  if (!page)
    co_return problem_of(page.error());
  co_return store::to_json(*page);
}

asio::awaitable<outcome_text> run(edge& at, request_message asked) {
  switch (asked.method) {
  case request_message::method::submit:
    return submit(at, std::move(asked.params));
  case request_message::method::cancel:
    return cancel(at, std::move(asked.params));
  case request_message::method::get:
    return get(at, std::move(asked.params));
  case request_message::method::list:
    break;
  }
  return list(at, std::move(asked.params));
}

} // namespace

asio::awaitable<std::string> answer_request(edge& at, std::string id,
                                            request_message asked) {
  auto running = run(at, std::move(asked));
  const auto outcome = co_await std::move(running);
  if (const auto* fault = std::get_if<problem>(&outcome))
    co_return error_text(id, *fault);
  co_return head_of("response", id)
    .append(",\"result\":")
    .append(std::get<std::string>(outcome))
    .append("}");
}

std::string error_text(std::string_view id, const problem& what) {
  auto out = head_of("error", id);
  out += ",\"code\":";
  json::append_string(out, kind_of(what.code).word);
  out += ",\"detail\":";
  json::append_string(out, what.detail);
  if (!what.errors.empty()) {
    out += ",\"errors\":[";
    for (const auto& error : what.errors) {
      if (&error != &what.errors.front())
        out += ',';
      append_error(out, error);
    }
    out += ']';
  }
  out += '}';
  return out;
}

std::string pong_text(std::string_view id) {
  return head_of("pong", id).append("}");
}

} // namespace troupe::net
