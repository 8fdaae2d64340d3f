#include "actors/store/batch_json.hpp"
#include "actors/store/json_text.hpp"
#include "net/batch_reader.hpp"
#include "net/control_reader.hpp"
#include "net/job_id.hpp"
#include "net/route_parts.hpp"

#include <boost/asio/co_spawn.hpp>

#include <chrono>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// One call does so much; what is left is for the next, by its cursor.
constexpr auto action_time = 5s;
constexpr std::uint32_t action_step = 500;

timestamp_ms now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch())
    .count();
}

using batch_read = std::variant<batch_request, problem>;

/// On `batch_thread`.
asio::awaitable<batch_read> read_blocking(edge& at, std::string_view body) {
  co_return at.batches.read(body,
                            [&at] { return at.batch_ids.mint(now_ms()); });
}

asio::awaitable<batch_read> read_batch(edge& at, std::string_view body) {
  auto reading = read_blocking(at, body);
  co_return co_await asio::co_spawn(at.batch_thread, std::move(reading),
                                    asio::use_awaitable);
}

std::optional<problem> batch_fault(const edge& at, const request& req,
                                   const batch_request& asked) {
  if (auto fault = key_fault(req))
    return fault;
  if (!asked.durability || !at.parts.durability
      || suffices(at.parts.durability(), *asked.durability))
    return std::nullopt;
  return problem{problem_code::durability_unavailable,
                 "the store does not reach what a job asks for"};
}

response batch_page(const store::batch& it) {
  response out;
  store::append_json(out.body, it, now_ms());
  return out;
}

response batch_answer(const store::batch_submitted& done) {
  response out;
  out.status = 202;
  out.body.reserve(512 + done.ids.size() * 29);
  out.body = R"({"batch":)";
  store::append_json(out.body, done.batch, now_ms());
  out.body += R"(,"ids":[)";
  for (const auto& id : done.ids) {
    if (&id != &done.ids.front())
      out.body += ',';
    json::append_string(out.body, id);
  }
  out.body += "]}";
  out.headers.emplace_back("Location", "/v1/batches/" + done.batch.id);
  if (done.replayed)
    out.headers.emplace_back("Idempotency-Replayed", "true");
  return out;
}

asio::awaitable<result<store::batch>> batch_of(edge& at, std::string id) {
  auto call = [&id](actors::gateway& to, auto reply) {
    to.batch(std::move(id), std::move(reply));
  };
  co_return co_await ask<store::batch>(at, call);
}

/// Steps until all is done, or the time is over.
asio::awaitable<result<store::bulk_result>> act(edge& at,
                                                store::bulk_request request) {
  const auto until = std::chrono::steady_clock::now() + action_time;
  store::bulk_result sum;
  request.max = action_step;
  do {
    auto call = [&request](actors::gateway& to, auto reply) {
      to.bulk(request, std::move(reply));
    };
    auto step = co_await ask<store::bulk_result>(at, call);
    if (!step)
      co_return step.error();
    sum.matched += step->matched;
    sum.next_cursor = std::move(step->next_cursor);
    request.cursor = sum.next_cursor;
  } while (!sum.next_cursor.empty()
           && std::chrono::steady_clock::now() < until);
  co_return sum;
}

} // namespace

answering submit_batch(edge& at, const request& req, const path_params&) {
  auto read = co_await read_batch(at, req.body);
  if (const auto* fault = std::get_if<problem>(&read))
    co_return answer(*fault);
  auto& asked = std::get<batch_request>(read);
  if (const auto fault = batch_fault(at, req, asked))
    co_return answer(*fault);
  store::batch_draft draft;
  draft.id = std::move(asked.id);
  draft.owner = req.principal;
  draft.tags = std::move(asked.tags);
  draft.callback_url = std::move(asked.callback_url);
  draft.asked = asked.asked;
  draft.required = asked.required;
  for (auto& job : asked.jobs)
    trace(job, req);
  store::idempotency key;
  if (!req.headers.idempotency_key.empty())
    key = idempotency_of(req.principal, req.target.path,
                         req.headers.idempotency_key, req.body);
  auto call = [&](actors::gateway& to, auto reply) {
    to.submit_batch(std::move(draft), std::move(asked.jobs), std::move(key),
                    std::move(reply));
  };
  const auto done = co_await ask<store::batch_submitted>(at, call);
  if (!done)
    co_return answer(problem_of(done.error()));
  co_return batch_answer(*done);
}

answering show_batch(edge& at, const request&, const path_params& path) {
  if (!is_job_id(path["id"]))
    co_return not_found("no such batch");
  const std::string id{path["id"]};
  const auto found = co_await batch_of(at, id);
  if (!found)
    co_return answer(problem_of(found.error()));
  co_return batch_page(*found);
}

answering cancel_batch(edge& at, const request& req, const path_params& path) {
  if (has_body(req))
    co_return refuse_body();
  if (!is_job_id(path["id"]))
    co_return not_found("no such batch");
  const std::string id{path["id"]};
  const auto known = co_await batch_of(at, id);
  if (!known)
    co_return answer(problem_of(known.error()));
  store::bulk_request request;
  request.action = store::bulk_action::cancel;
  request.filter.batch = id;
  do {
    const auto done = co_await act(at, request);
    if (!done)
      co_return answer(problem_of(done.error()));
    request.cursor = done->next_cursor;
  } while (!request.cursor.empty());
  const auto after = co_await batch_of(at, id);
  if (!after)
    co_return answer(problem_of(after.error()));
  co_return batch_page(*after);
}

answering act_on_jobs(edge& at, const request& req, const path_params&) {
  auto read = read_action(req.body);
  if (const auto* fault = std::get_if<problem>(&read))
    co_return answer(*fault);
  auto& asked = std::get<store::bulk_request>(read);
  const bool dry_run = asked.dry_run;
  const auto done = co_await act(at, std::move(asked));
  if (!done)
    co_return answer(problem_of(done.error()));
  response out;
  out.body = R"({"matched":)";
  json::append_number(out.body, done->matched);
  out.body += R"(,"changed":)";
  json::append_number(out.body, dry_run ? 0 : done->matched);
  out.body += dry_run ? R"(,"dry_run":true,"next_cursor":)"
                      : R"(,"dry_run":false,"next_cursor":)";
  json::append_string(out.body, done->next_cursor);
  out.body += '}';
  co_return out;
}

} // namespace troupe::net
