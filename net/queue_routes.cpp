#include "actors/store/json_text.hpp"
#include "media/job_types.hpp"
#include "net/json_reader.hpp"
#include "net/route_parts.hpp"
#include "net/source_url.hpp"

#include <algorithm>

namespace troupe::net {

namespace {

using queue_infos = std::vector<store::queue_info>;

/// Looking at a URL takes longer than all else; `tools.extract_timeout_s`
/// ends it before, unless it waited long for its turn.
constexpr std::chrono::seconds extract_limit{120};

/// Queues that have never held a job are there too.
void add_empty_queues(queue_infos& depths) {
  for (const auto& type : media::job_types()) {
    const auto at =
      std::ranges::find(depths, type.queue, &store::queue_info::queue);
    if (at == depths.end())
      depths.emplace_back().queue = type.queue;
  }
  std::ranges::sort(depths, {}, &store::queue_info::queue);
}

void append_job_type(std::string& out, const media::job_type& type) {
  out += R"({"name":)";
  json::append_string(out, type.name);
  out += R"(,"queue":)";
  json::append_string(out, type.queue);
  out += R"(,"summary":)";
  json::append_string(out, type.summary);
  out += R"(,"params":)";
  out += type.params_schema;
  out += R"(,"result":)";
  out += type.result_schema;
  out += '}';
}

/// Reads `{"url": …}`.
std::variant<std::string, problem> read_url(std::string_view body,
                                            const media::address_guard& guard) {
  json_parser parser;
  simdjson::dom::element document;
  if (auto fault = parser.parse(body, document))
    return std::move(*fault);
  simdjson::dom::object object;
  if (document.get(object))
    return problem{problem_code::invalid_params,
                   "the body must be an object",
                   {{"", "must be an object", {}}}};
  field_errors errors;
  object_reader in{object, "", errors};
  std::string url;
  std::optional<field_error> fault;
  (void)in.require("url");
  if (in.text("url", url, 8192))
    fault = source_url_fault(url, guard);
  const bool forbidden = fault && !fault->code.empty();
  if (fault)
    in.wrong("url", std::move(fault->detail), std::move(fault->code));
  in.finish();
  if (errors.empty())
    return url;
  auto list = errors.take();
  const auto code = forbidden && list.size() == 1
                      ? problem_code::source_forbidden
                      : problem_code::invalid_params;
  auto detail = list.front().pointer + " " + list.front().detail;
  return problem{code, std::move(detail), std::move(list)};
}

} // namespace

answering list_queues(edge& at, const request&, const path_params&) {
  auto call = [](actors::gateway& to, auto reply) {
    to.queues(std::move(reply));
  };
  auto depths = co_await ask<queue_infos>(at, call);
  if (!depths)
    co_return answer(problem_of(depths.error()));
  add_empty_queues(*depths);
  response out;
  out.body = R"({"queues":[)";
  for (const auto& queue : *depths) {
    if (&queue != &depths->front())
      out.body += ',';
    store::append_json(out.body, queue);
  }
  out.body += "]}";
  co_return out;
}

answering list_job_types(edge&, const request&, const path_params&) {
  response out;
  out.body = R"({"job_types":[)";
  for (const auto& type : media::job_types()) {
    if (&type != &media::job_types().front())
      out.body += ',';
    append_job_type(out.body, type);
  }
  out.body += "]}";
  co_return out;
}

answering extract_url(edge& at, const request& req, const path_params&) {
  auto read = read_url(req.body, at.parts.guard);
  if (const auto* fault = std::get_if<problem>(&read))
    co_return answer(*fault);
  auto start = [&at, url = std::get<std::string>(std::move(read))](
                 actors::reply_to<actors::extract_reply> reply) mutable {
    at.parts.gateway.extract(std::move(url), std::move(reply));
  };
  auto done = co_await at.asks.ask<actors::extract_reply>(extract_limit,
                                                          std::move(start));
  if (!done)
    co_return answer(problem_of(done.error()));
  response out;
  out.body = std::move(done->json);
  co_return out;
}

} // namespace troupe::net
