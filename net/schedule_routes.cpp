#include "actors/store/json_text.hpp"
#include "config/credentials.hpp"
#include "net/control_reader.hpp"
#include "net/paging.hpp"
#include "net/route_parts.hpp"

#include <algorithm>

namespace troupe::net {

namespace {

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (const auto& text : texts) {
    if (&text != &texts.front())
      out += ',';
    json::append_string(out, text);
  }
  out += ']';
}

/// A job as it is asked for.
void append_job(std::string& out, const store::job_draft& job) {
  out += R"({"type":)";
  json::append_string(out, job.type);
  out += R"(,"params":)";
  out += config::hide_credentials(job.params);
  out += R"(,"priority":)";
  json::append_number(out, job.priority);
  out += R"(,"timeout_s":)";
  json::append_number(out, job.timeout_s);
  out += R"(,"max_attempts":)";
  json::append_number(out, job.max_attempts);
  out += R"(,"backoff":{"initial_s":)";
  json::append_number(out, job.backoff.initial_s);
  out += R"(,"factor":)";
  json::append_number(out, job.backoff.factor);
  out += R"(,"max_s":)";
  json::append_number(out, job.backoff.max_s);
  out += R"(,"jitter":)";
  json::append_number(out, job.backoff.jitter);
  out += R"(},"unique_key":)";
  json::append_optional(out, job.unique_key);
  out += R"(,"concurrency_key":)";
  json::append_optional(out, job.concurrency_key);
  out += R"(,"tags":)";
  append_texts(out, job.tags);
  out += R"(,"callback_url":)";
  json::append_optional(out, config::hide_credentials(job.callback_url));
  out += '}';
}

void append_schedule(std::string& out, const store::schedule& it) {
  out += R"({"name":)";
  json::append_string(out, it.name);
  out += R"(,"cron":)";
  json::append_string(out, it.cron);
  out += R"(,"timezone":)";
  json::append_string(out, it.timezone.empty() ? "UTC" : it.timezone);
  out += R"(,"job":)";
  append_job(out, it.job);
  out += R"(,"overlap":)";
  json::append_string(out, store::to_string(it.overlap));
  out += R"(,"catch_up":)";
  json::append_string(out, store::to_string(it.catch_up));
  out += R"(,"owner":)";
  json::append_optional(out, it.owner);
  out += R"(,"next_at":)";
  json::append_time(out, it.next_at);
  out += R"(,"last_at":)";
  json::append_time(out, it.last_at);
  out += R"(,"last_job":)";
  json::append_optional(out, it.last_job);
  out += '}';
}

answering show_named(edge& at, std::string name) {
  auto call = [&name](actors::gateway& to, auto reply) {
    to.schedule(std::move(name), std::move(reply));
  };
  const auto found = co_await ask<store::schedule>(at, call);
  if (!found)
    co_return answer(problem_of(found.error()));
  response out;
  append_schedule(out.body, *found);
  co_return out;
}

response no_such_schedule() {
  return not_found("no such schedule");
}

} // namespace

answering list_schedules(edge& at, const request& req, const path_params&) {
  page_request asked;
  if (const auto fault = read_page(req.target, "schedules", asked))
    co_return answer(*fault);
  auto call = [](actors::gateway& to, auto reply) {
    to.schedules(std::move(reply));
  };
  auto all = co_await ask<std::vector<store::schedule>>(at, call);
  if (!all)
    co_return answer(problem_of(all.error()));
  const auto next = cut_page(*all, "schedules", asked, &store::schedule::name);
  response out;
  out.body = R"({"schedules":[)";
  for (const auto& it : *all) {
    if (&it != &all->front())
      out.body += ',';
    append_schedule(out.body, it);
  }
  out.body += R"(],"next_page_token":)";
  json::append_string(out.body, next);
  out.body += '}';
  co_return out;
}

answering show_schedule(edge& at, const request&, const path_params& path) {
  if (!is_schedule_name(path["name"]))
    co_return no_such_schedule();
  std::string name{path["name"]};
  co_return co_await show_named(at, std::move(name));
}

answering put_schedule(edge& at, const request& req, const path_params& path) {
  if (!is_schedule_name(path["name"]))
    co_return answer({problem_code::invalid_params,
                      "a schedule's name has 1 to 128 letters, digits or ._-",
                      {{"/name", "is no name for a schedule", {}}}});
  auto read = at.schedules.read(req.body);
  if (const auto* fault = std::get_if<problem>(&read))
    co_return answer(*fault);
  store::put_schedule_op op;
  op.schedule = std::get<store::schedule>(std::move(read));
  op.schedule.name = path["name"];
  op.schedule.owner = req.principal;
  op.schedule.job.owner = req.principal;
  store::operation wish{std::move(op)};
  const auto done = co_await change(at, std::move(wish));
  if (!done)
    co_return answer(problem_of(done.error()));
  std::string name{path["name"]};
  co_return co_await show_named(at, std::move(name));
}

answering drop_schedule(edge& at, const request& req, const path_params& path) {
  if (has_body(req))
    co_return refuse_body();
  if (!is_schedule_name(path["name"]))
    co_return no_such_schedule();
  store::drop_schedule_op op;
  op.name = path["name"];
  store::operation wish{std::move(op)};
  const auto done = co_await change(at, std::move(wish));
  if (!done)
    co_return answer(problem_of(done.error()));
  response out;
  out.status = 204;
  co_return out;
}

} // namespace troupe::net
