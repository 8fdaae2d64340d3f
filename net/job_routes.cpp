#include "actors/store/job_json.hpp"
#include "actors/store/json_text.hpp"
#include "net/job_id.hpp"
#include "net/query.hpp"
#include "net/route_parts.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

response job_answer(const store::job& job, unsigned status) {
  response out;
  out.status = status;
  out.body.reserve(768);
  store::append_json(out.body, job);
  return out;
}

using submit_read = std::variant<submit_request, problem>;

/// Larger bodies would hold up all others while their params are checked.
constexpr std::size_t large_body = 32768;

/// On `batch_thread`.
asio::awaitable<submit_read> read_large(edge& at, std::string_view body) {
  co_return at.large_submits.read(body);
}

asio::awaitable<submit_read> read_submit(edge& at, std::string_view body) {
  if (body.size() <= large_body)
    co_return at.submits.read(body);
  auto reading = read_large(at, body);
  co_return co_await asio::co_spawn(at.batch_thread, std::move(reading),
                                    asio::use_awaitable);
}

/// Why a job cannot be submitted here and now, or with this key.
std::optional<problem> submit_fault(const edge& at, const request& req,
                                    const submit_request& asked) {
  if (auto fault = key_fault(req))
    return fault;
  return durability_fault(asked, at.parts.durability);
}

store::submit_op operation_of(const request& req, submit_request asked) {
  store::submit_op out;
  out.draft = std::move(asked.draft);
  out.asked = asked.durability.value_or(store::durability::memory);
  out.strict = asked.durability_strict;
  trace(out.draft, req);
  if (!req.headers.idempotency_key.empty())
    out.idempotency = idempotency_of(req.principal, req.target.path,
                                     req.headers.idempotency_key, req.body);
  return out;
}

response no_such_job() {
  return answer(problem_of(fail(store::errc::not_found)));
}

asio::awaitable<result<store::job>>
command(edge& at, actors::job_command_kind kind, std::string_view id) {
  auto start = [&at, kind, id](actors::reply_to<store::job> reply) {
    at.parts.gateway.command(kind, std::string{id}, std::move(reply));
  };
  co_return co_await at.asks.ask<store::job>(limit_of(at), start);
}

answering change_job(edge& at, const request& req, std::string_view id,
                     actors::job_command_kind kind) {
  if (has_body(req))
    co_return refuse_body();
  if (!is_job_id(id))
    co_return no_such_job();
  const auto job = co_await command(at, kind, id);
  if (!job)
    co_return answer(problem_of(job.error()));
  co_return job_answer(*job, 200);
}

/// Reads one query parameter of the list; says what is wrong with it.
std::string read_filter(std::string_view name, const std::string& value,
                        store::list_query& out) {
  const auto take = [&value](std::string& into) {
    into = value;
    if (value.size() > 512)
      return "must have at most 512 bytes";
    return has_control(value) ? "must not hold control characters" : "";
  };
  if (name == "type")
    return take(out.type);
  if (name == "queue")
    return take(out.queue);
  if (name == "tag")
    return take(out.tag);
  if (name == "batch")
    return take(out.batch);
  if (name == "page_token") {
    out.page_token = value;
    return {};
  }
  if (name == "page_size")
    return read_page_size(value, out.page_size);
  if (name != "state")
    return std::string{unknown_parameter};
  if (value.empty())
    return {};
  store::job_state state{};
  if (!store::from_string(value, state))
    return "is no state of a job";
  out.state = state;
  return {};
}

} // namespace

answering submit_job(edge& at, const request& req, const path_params&) {
  auto read = co_await read_submit(at, req.body);
  if (const auto* fault = std::get_if<problem>(&read))
    co_return answer(*fault);
  auto& asked = std::get<submit_request>(read);
  if (const auto fault = submit_fault(at, req, asked))
    co_return answer(*fault);
  auto start = [&at, op = operation_of(req, std::move(asked))](
                 actors::reply_to<actors::submit_reply> reply) mutable {
    at.parts.gateway.submit(std::move(op), std::move(reply));
  };
  const auto done =
    co_await at.asks.ask<actors::submit_reply>(limit_of(at), std::move(start));
  if (!done)
    co_return answer(problem_of(done.error()));
  auto out = job_answer(*done->job, done->created ? 202 : 200);
  out.headers.emplace_back("Location", "/v1/jobs/" + done->job->id);
  if (done->replayed)
    out.headers.emplace_back("Idempotency-Replayed", "true");
  co_return out;
}

answering list_jobs(edge& at, const request& req, const path_params&) {
  store::list_query query;
  const auto read = [&query](std::string_view name, const std::string& value) {
    return read_filter(name, value, query);
  };
  if (const auto fault = read_parameters(req.target, read))
    co_return answer(*fault);
  if (has_control(query.page_token))
    co_return answer(problem_of(fail(store::errc::bad_page_token)));
  auto start = [&at, &query](actors::reply_to<store::job_page> reply) {
    at.parts.gateway.list(std::move(query), std::move(reply));
  };
  const auto page = co_await at.asks.ask<store::job_page>(limit_of(at), start);
  if (!page)
    co_return answer(problem_of(page.error()));
  response out;
  out.body = store::to_json(*page);
  co_return out;
}

answering show_job(edge& at, const request&, const path_params& path) {
  const auto id = path["id"];
  if (!is_job_id(id))
    co_return no_such_job();
  auto start = [&at, id](actors::reply_to<store::job> reply) {
    at.parts.gateway.get(std::string{id}, std::move(reply));
  };
  const auto job = co_await at.asks.ask<store::job>(limit_of(at), start);
  if (!job)
    co_return answer(problem_of(job.error()));
  co_return job_answer(*job, 200);
}

answering purge_job(edge& at, const request& req, const path_params& path) {
  auto done =
    co_await change_job(at, req, path["id"], actors::job_command_kind::purge);
  if (done.reply.status == 200) {
    done.reply.status = 204;
    done.reply.body.clear();
  }
  co_return done;
}

answering cancel_job(edge& at, const request& req, const path_params& path) {
  return change_job(at, req, path["id"], actors::job_command_kind::cancel);
}

answering pause_job(edge& at, const request& req, const path_params& path) {
  return change_job(at, req, path["id"], actors::job_command_kind::pause);
}

answering resume_job(edge& at, const request& req, const path_params& path) {
  return change_job(at, req, path["id"], actors::job_command_kind::resume);
}

answering retry_job(edge& at, const request& req, const path_params& path) {
  return change_job(at, req, path["id"], actors::job_command_kind::retry);
}

} // namespace troupe::net
