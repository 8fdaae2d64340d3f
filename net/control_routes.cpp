#include "actors/store/json_text.hpp"
#include "config/credentials.hpp"
#include "media/job_types.hpp"
#include "net/control_reader.hpp"
#include "net/job_id.hpp"
#include "net/query.hpp"
#include "net/route_parts.hpp"

#include <algorithm>

namespace troupe::net {

namespace {

constexpr std::size_t max_key = 256;
constexpr std::uint32_t callback_page = 100;

/// Queues are those that job types name.
bool is_queue(std::string_view name) {
  return std::ranges::find(media::job_types(), name, &media::job_type::queue)
         != media::job_types().end();
}

/// A job's id and what happened to it, with a dot between.
bool is_event_id(std::string_view id) {
  const auto dot = id.find('.');
  return is_job_id(id.substr(0, dot))
         && (dot == id.npos || is_job_id(id.substr(dot + 1)));
}

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= max_key
         && std::ranges::none_of(key, [](char c) {
              return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
            });
}

answering show_queue_named(edge& at, std::string name) {
  auto call = [](actors::gateway& to, auto reply) {
    to.queues(std::move(reply));
  };
  const auto all = co_await ask<std::vector<store::queue_info>>(at, call);
  if (!all)
    co_return answer(problem_of(all.error()));
  const auto found = std::ranges::find(*all, name, &store::queue_info::queue);
  if (found != all->end())
    co_return json_answer(*found);
  store::queue_info empty;
  empty.queue = std::move(name);
  co_return json_answer(empty);
}

answering set_queue(edge& at, store::put_queue_op op) {
  if (!is_queue(op.queue))
    co_return not_found("no such queue");
  auto name = op.queue;
  store::operation wish{std::move(op)};
  const auto done = co_await change(at, std::move(wish));
  if (!done)
    co_return answer(problem_of(done.error()));
  co_return co_await show_queue_named(at, std::move(name));
}

answering pause_or_resume(edge& at, const request& req, const path_params& path,
                          bool paused) {
  if (has_body(req))
    co_return refuse_body();
  store::put_queue_op op;
  op.queue = path["name"];
  op.paused = paused;
  co_return co_await set_queue(at, std::move(op));
}

answering show_limit_of(edge& at, std::string key) {
  auto call = [&key](actors::gateway& to, auto reply) {
    to.limit(std::move(key), std::move(reply));
  };
  const auto found = co_await ask<store::key_limit>(at, call);
  if (!found)
    co_return answer(problem_of(found.error()));
  co_return json_answer(*found);
}

void append_callback(std::string& out, const store::callback& it) {
  out += R"({"id":)";
  json::append_string(out, it.id);
  out += R"(,"subject":)";
  json::append_string(out, it.subject);
  out += R"(,"type":)";
  json::append_string(out, it.type);
  out += R"(,"url":)";
  json::append_string(out, config::hide_credentials(it.url));
  out += R"(,"attempts":)";
  json::append_number(out, it.attempts);
  out += R"(,"error":)";
  json::append_optional(out, config::hide_credentials(it.error));
  out += R"(,"created_at":)";
  json::append_time(out, it.created_at);
  out += '}';
}

} // namespace

answering pause_queue(edge& at, const request& req, const path_params& path) {
  return pause_or_resume(at, req, path, true);
}

answering resume_queue(edge& at, const request& req, const path_params& path) {
  return pause_or_resume(at, req, path, false);
}

answering patch_queue(edge& at, const request& req, const path_params& path) {
  const auto read = read_limits(req.body);
  if (const auto* fault = std::get_if<problem>(&read))
    co_return answer(*fault);
  const auto& asked = std::get<limits_request>(read);
  store::put_queue_op op;
  op.queue = path["name"];
  op.concurrency = asked.concurrency;
  op.rate_per_s = asked.rate_per_s;
  co_return co_await set_queue(at, std::move(op));
}

answering show_limit(edge& at, const request&, const path_params& path) {
  if (!is_key(path["key"]))
    co_return not_found("no such key");
  std::string key{path["key"]};
  co_return co_await show_limit_of(at, std::move(key));
}

answering put_limit(edge& at, const request& req, const path_params& path) {
  if (!is_key(path["key"]))
    co_return not_found("no such key");
  const auto read = read_limits(req.body);
  if (const auto* fault = std::get_if<problem>(&read))
    co_return answer(*fault);
  const auto& asked = std::get<limits_request>(read);
  store::put_limit_op op;
  op.key = path["key"];
  op.concurrency = asked.concurrency.value_or(0);
  op.rate_per_s = asked.rate_per_s.value_or(0);
  store::operation wish{std::move(op)};
  const auto done = co_await change(at, std::move(wish));
  if (!done)
    co_return answer(problem_of(done.error()));
  std::string key{path["key"]};
  co_return co_await show_limit_of(at, std::move(key));
}

answering list_callbacks(edge& at, const request& req, const path_params&) {
  std::string token;
  auto size = callback_page;
  const auto read = [&](std::string_view name, const std::string& value) {
    if (name == "page_size")
      return read_page_size(value, size);
    if (name != "page_token")
      return std::string{unknown_parameter};
    token = value;
    return std::string{};
  };
  if (const auto fault = read_parameters(req.target, read))
    co_return answer(*fault);
  // An id of an event has two parts.
  if (!token.empty() && (!is_event_id(token) || token.find('.') == token.npos))
    co_return answer(problem_of(fail(store::errc::bad_page_token)));
  auto call = [&](actors::gateway& to, auto reply) {
    to.dead_callbacks(std::move(token), size, std::move(reply));
  };
  const auto found = co_await ask<std::vector<store::callback>>(at, call);
  if (!found)
    co_return answer(problem_of(found.error()));
  response out;
  out.body = R"({"callbacks":[)";
  for (const auto& it : *found) {
    if (&it != &found->front())
      out.body += ',';
    append_callback(out.body, it);
  }
  out.body += R"(],"next_page_token":)";
  const bool more = found->size() == size;
  json::append_string(out.body, more ? found->back().id : std::string{});
  out.body += '}';
  co_return out;
}

answering retry_callback(edge& at, const request& req,
                         const path_params& path) {
  if (has_body(req))
    co_return refuse_body();
  const std::string id{path["id"]};
  if (!is_event_id(id))
    co_return not_found("no such callback");
  auto call = [&id](actors::gateway& to, auto reply) {
    to.retry_callback(id, std::move(reply));
  };
  const auto done = co_await ask<bool>(at, call);
  if (!done)
    co_return answer(problem_of(done.error()));
  response out;
  out.status = 204;
  co_return out;
}

} // namespace troupe::net
