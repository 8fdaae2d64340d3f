#include "actors/store/job_json.hpp"
#include "net/query.hpp"
#include "net/route_parts.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// What a client waits for; the job goes on without it.
constexpr auto patience = 2s;
constexpr std::chrono::milliseconds first_look{4};
constexpr std::chrono::milliseconds longest_pause{64};

/// The body of a submit.
std::string job_of(const std::string& source) {
  return json::serialize(json::value{{"type", "probe"},
                                     {"params", {{"source", source}}},
                                     {"priority", 9},
                                     {"max_attempts", 1}});
}

/// Of a submit's problem: the source stands in the query here.
response wrong_source(const problem& why) {
  if (why.errors.empty())
    return answer(why);
  const auto& error = why.errors.front();
  return answer({why.code,
                 "source " + error.detail,
                 {{"/source", error.detail, error.code}}});
}

asio::awaitable<result<store::job>> submit(edge& at, const request& req,
                                           store::job_draft draft) {
  store::submit_op op;
  op.draft = std::move(draft);
  op.asked = store::durability::memory;
  trace(op.draft, req);
  auto start = [&at, op = std::move(op)](
                 actors::reply_to<actors::submit_reply> reply) mutable {
    at.parts.gateway.submit(std::move(op), std::move(reply));
  };
  const auto done =
    co_await at.asks.ask<actors::submit_reply>(limit_of(at), std::move(start));
  if (!done)
    co_return done.error();
  co_return *done->job;
}

/// The job as it is when it has ended, or when patience has.
asio::awaitable<result<store::job>> await_end(edge& at, store::job job) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  const auto deadline = clock::now() + patience;
  auto start = [&at, id = job.id](actors::reply_to<store::job> reply) {
    at.parts.gateway.get(id, std::move(reply));
  };
  for (auto pause = first_look; clock::now() < deadline;
       pause = std::min(pause * 2, longest_pause)) {
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
    auto now = co_await at.asks.ask<store::job>(limit_of(at), start);
    if (!now)
      co_return now.error();
    job = std::move(*now);
    if (store::is_terminal(job.state))
      break;
  }
  co_return job;
}

/// What a failed probe says of its source.
response refusal(const store::job& job) {
  const auto& errors = job.errors;
  const auto code = errors.empty() ? std::string{} : errors.back().code;
  const auto text =
    errors.empty() ? std::string{"the probe was ended"} : errors.back().message;
  if (code == "source_forbidden")
    return answer(
      {problem_code::source_forbidden, text, {{"/source", text, code}}});
  if (code == "source_not_found")
    return answer({problem_code::not_found, text, {{"/source", text, code}}});
  return answer(
    {problem_code::invalid_params, text, {{"/source", text, code}}});
}

bool is_refused(const store::job& job) {
  return job.state == store::job_state::failed
         || job.state == store::job_state::cancelled;
}

/// The answer says all that there is to know of a job that nobody submitted.
asio::awaitable<void> forget(edge& at, std::string id) {
  auto start = [&at, &id](actors::reply_to<store::job> reply) {
    at.parts.gateway.command(actors::job_command_kind::purge, id,
                             std::move(reply));
  };
  // What cannot be purged now goes with the retention of all jobs.
  (void)co_await at.asks.ask<store::job>(limit_of(at), start);
}

response told(const store::job& job) {
  if (is_refused(job))
    return refusal(job);
  response out;
  if (job.state == store::job_state::succeeded) {
    out.body = job.result;
    return out;
  }
  out.status = 202;
  store::append_json(out.body, job);
  out.headers.emplace_back("Location", "/v1/jobs/" + job.id);
  return out;
}

} // namespace

answering probe_source(edge& at, const request& req, const path_params&) {
  std::string source;
  const auto take = [&source](std::string_view name, const std::string& value) {
    if (name != "source")
      return std::string{unknown_parameter};
    source = value;
    return std::string{};
  };
  if (const auto fault = read_parameters(req.target, take))
    co_return answer(*fault);
  const auto body = job_of(source);
  auto read = at.submits.read(body);
  if (const auto* why = std::get_if<problem>(&read))
    co_return wrong_source(*why);
  auto& asked = std::get<submit_request>(read);
  asked.draft.deadline_ms = std::chrono::milliseconds{patience}.count();
  auto job = co_await submit(at, req, std::move(asked.draft));
  if (job)
    job = co_await await_end(at, std::move(*job));
  if (!job)
    co_return answer(problem_of(job.error()));
  if (is_refused(*job))
    co_await forget(at, job->id);
  co_return told(*job);
}

} // namespace troupe::net
