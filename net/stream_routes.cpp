#include "actors/store/json_text.hpp"
#include "media/stream/signer.hpp"
#include "net/paging.hpp"
#include "net/progressive.hpp"
#include "net/query.hpp"
#include "net/route_parts.hpp"
#include "net/stream_answer.hpp"

#include <charconv>
#include <chrono>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using actors::stream_view;

/// The latest a stream may begin.
constexpr double longest_s = 1e7;

/// What the actors get beyond the deadlines of their own.
constexpr std::chrono::milliseconds stream_margin{500};

std::chrono::milliseconds from_s(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

response no_streams() {
  return not_found("this server serves no streams");
}

response no_such_stream() {
  return not_found("there is no such stream");
}

/// Asks the desk: `call(desk, reply)`.
template <class T, class Call>
asio::awaitable<result<T>>
ask_streams(edge& at, std::chrono::milliseconds limit, Call call) {
  auto start = [&at,
                call = std::move(call)](actors::reply_to<T> reply) mutable {
    call(*at.parts.streams, std::move(reply));
  };
  co_return co_await at.asks.ask<T>(limit, std::move(start));
}

response stream_json(std::string json, unsigned status = 200) {
  response out;
  out.status = status;
  out.body = std::move(json);
  return out;
}

/// The id of a signed path; nothing for one that nobody has signed.
std::optional<std::string> signed_id(const edge& at, std::string_view part) {
  const auto named = read_stream_name(part);
  if (!named || !at.parts.stream_signer->is_good(named->id, named->signature))
    return std::nullopt;
  return std::string{named->id};
}

/// What the player says of itself, of a query that may hold all else.
std::string cmcd_of(const request& req) {
  for (const auto& [name, value] : req.target.query)
    if (name == "CMCD")
      return value;
  return {};
}

response forbidden() {
  return answer({problem_code::forbidden, "the signature is not good"});
}

asio::awaitable<result<stream_view>> show(edge& at, std::string_view id) {
  auto call = [id = std::string{id}](actors::stream_desk& to, auto reply) {
    to.show_stream(id, std::move(reply));
  };
  co_return co_await ask_streams<stream_view>(at, limit_of(at), call);
}

answering send_file(edge& at, const request& req, actors::stream_file_ask ask) {
  const rendition_file file{ask.what, ask.number};
  ask.cmcd = cmcd_of(req);
  const auto id = ask.id;
  const bool is_segment = file.what == actors::stream_file::segment
                          || file.what == actors::stream_file::init;
  // A stream that is taken up again opens its source first.
  const auto limit =
    from_s(is_segment ? at.parts.stream_settings->segment_timeout_s
                      : at.parts.stream_settings->start_timeout_s);
  auto call = [ask = std::move(ask)](actors::stream_desk& to,
                                     auto reply) mutable {
    to.stream_part(std::move(ask), std::move(reply));
  };
  auto got =
    co_await ask_streams<actors::stream_file_reply>(at, limit, std::move(call));
  if (!got)
    co_return stream_refusal(got.error());
  const auto party = std::move(got->party);
  auto out = stream_answer(file, std::move(*got));
  out.kind = is_segment ? traffic::segment : traffic::playlist;
  out.sender = {party.owner, id, party.priority};
  co_return out;
}

answering send_direct(edge& at, const request& req, std::string id) {
  auto call = [&id](actors::stream_desk& to, auto reply) {
    to.open_direct(id, std::move(reply));
  };
  const auto limit = from_s(at.parts.stream_settings->start_timeout_s);
  const auto file =
    co_await ask_streams<actors::stream_direct>(at, limit, call);
  if (!file)
    co_return stream_refusal(file.error());
  auto out = direct_answer(req, *file);
  if (out.file.fd)
    out.kind = traffic::direct;
  out.sender = {file->party.owner, std::move(id), file->party.priority};
  co_return out;
}

/// Reads `start_s=`, which may stand beside what the player says of itself.
std::optional<problem> read_start(const request& req, double& out) {
  return read_parameters(
    req.target, [&out](std::string_view name, const std::string& value) {
      if (name == "CMCD")
        return std::string{};
      if (name != "start_s")
        return std::string{unknown_parameter};
      const auto* end = value.data() + value.size();
      const auto [at, error] = std::from_chars(value.data(), end, out);
      const bool good =
        error == std::errc{} && at == end && out >= 0 && out <= longest_s;
      return std::string{good ? "" : "must be seconds, from 0 to 10000000"};
    });
}

answering send_progressive(edge& at, const request& req, std::string id) {
  double start_s = 0;
  if (const auto fault = read_start(req, start_s))
    co_return answer(*fault);
  auto call = [&id, start_s](actors::stream_desk& to, auto reply) {
    to.plan_course(id, start_s, std::move(reply));
  };
  const auto limit = from_s(at.parts.stream_settings->start_timeout_s);
  auto course = co_await ask_streams<actors::stream_course>(at, limit, call);
  if (!course)
    co_return stream_refusal(course.error());
  if (req.method == verb::head) {
    response out;
    out.content_type = "video/mp4";
    out.headers.emplace_back("Accept-Ranges", "none");
    co_return out;
  }
  taker out;
  out.run = [id = std::move(id), course = std::move(*course)](takeover taken,
                                                              edge& on) {
    return serve_progressive(std::move(taken), id, course, on);
  };
  co_return out;
}

} // namespace

answering open_stream(edge& at, const request& req, const path_params&) {
  if (!at.parts.streams)
    co_return no_streams();
  if (at.draining)
    co_return answer(problem_of(fail(actors::errc::draining)));
  if (const auto fault = key_fault(req))
    co_return answer(*fault);
  auto read = read_stream_wish(req.body, at.parts.guard);
  if (const auto* why = std::get_if<problem>(&read))
    co_return answer(*why);
  actors::stream_ask wanted;
  wanted.wish = std::move(std::get<media::stream_wish>(read));
  wanted.owner = req.principal;
  if (const auto key = req.headers.idempotency_key; !key.empty())
    wanted.key = idempotency_of(req.principal, req.target.path, key, req.body);
  auto call = [wanted = std::move(wanted)](actors::stream_desk& to,
                                           auto reply) mutable {
    to.open_stream(std::move(wanted), std::move(reply));
  };
  const auto limit =
    from_s(at.parts.stream_settings->start_timeout_s) + stream_margin;
  auto view = co_await ask_streams<stream_view>(at, limit, std::move(call));
  if (!view)
    co_return stream_refusal(view.error());
  auto out = stream_json(std::move(view->json), 201);
  out.headers.emplace_back("Location", "/v1/streams/" + view->id);
  if (view->replayed)
    out.headers.emplace_back("Idempotency-Replayed", "true");
  co_return out;
}

answering list_streams(edge& at, const request& req, const path_params&) {
  page_request asked;
  if (const auto fault = read_page(req.target, "streams", asked))
    co_return answer(*fault);
  if (!at.parts.streams)
    co_return no_streams();
  auto call = [](actors::stream_desk& to, auto reply) {
    to.list_streams(std::move(reply));
  };
  auto all =
    co_await ask_streams<std::vector<stream_view>>(at, limit_of(at), call);
  if (!all)
    co_return stream_refusal(all.error());
  const auto next =
    cut_page(*all, "streams", asked, &stream_view::id, std::greater<>{});
  std::string out = "{\"streams\":[";
  for (const auto& each : *all)
    out.append(out.back() == '[' ? "" : ",").append(each.json);
  out += "],\"next_page_token\":";
  json::append_string(out, next);
  co_return stream_json(out + '}');
}

answering show_stream(edge& at, const request&, const path_params& path) {
  if (!at.parts.streams)
    co_return no_streams();
  if (!is_job_id(path["id"]))
    co_return no_such_stream();
  auto view = co_await show(at, path["id"]);
  if (!view)
    co_return stream_refusal(view.error());
  co_return stream_json(std::move(view->json));
}

answering show_stream_health(edge& at, const request&,
                             const path_params& path) {
  if (!at.parts.streams)
    co_return no_streams();
  if (!is_job_id(path["id"]))
    co_return no_such_stream();
  auto view = co_await show(at, path["id"]);
  if (!view)
    co_return stream_refusal(view.error());
  co_return stream_json(std::move(view->health));
}

answering patch_stream(edge& at, const request& req, const path_params& path) {
  if (!at.parts.streams)
    co_return no_streams();
  if (!is_job_id(path["id"]))
    co_return no_such_stream();
  auto read = read_stream_change(req.body);
  if (const auto* why = std::get_if<problem>(&read))
    co_return answer(*why);
  auto call = [id = std::string{path["id"]},
               what = std::get<actors::stream_change>(read)](
                actors::stream_desk& to, auto reply) {
    to.change_stream(id, what, std::move(reply));
  };
  auto view = co_await ask_streams<stream_view>(at, limit_of(at), call);
  if (!view)
    co_return stream_refusal(view.error());
  co_return stream_json(std::move(view->json));
}

answering close_stream(edge& at, const request& req, const path_params& path) {
  if (!at.parts.streams)
    co_return no_streams();
  if (has_body(req))
    co_return refuse_body();
  if (!is_job_id(path["id"]))
    co_return no_such_stream();
  auto call = [id = std::string{path["id"]}](actors::stream_desk& to,
                                             auto reply) {
    to.close_stream(id, std::move(reply));
  };
  auto view = co_await ask_streams<stream_view>(at, limit_of(at), call);
  if (!view)
    co_return stream_refusal(view.error());
  co_return stream_json(std::move(view->json));
}

answering send_stream_file(edge& at, const request& req,
                           const path_params& path) {
  if (!at.parts.streams)
    co_return no_streams();
  auto id = signed_id(at, path["stream"]);
  if (!id)
    co_return forbidden();
  if (path["file"] == "direct")
    co_return co_await send_direct(at, req, std::move(*id));
  if (path["file"] == "progressive.mp4")
    co_return co_await send_progressive(at, req, std::move(*id));
  if (path["file"] != "master.m3u8")
    co_return not_found("the stream has no such file");
  actors::stream_file_ask ask;
  ask.id = std::move(*id);
  co_return co_await send_file(at, req, std::move(ask));
}

answering send_rendition_file(edge& at, const request& req,
                              const path_params& path) {
  if (!at.parts.streams)
    co_return no_streams();
  auto id = signed_id(at, path["stream"]);
  if (!id)
    co_return forbidden();
  const auto file = read_rendition_file(path["file"]);
  if (!file)
    co_return not_found("the stream has no such file");
  actors::stream_file_ask ask;
  ask.id = std::move(*id);
  ask.what = file->what;
  ask.number = file->number;
  ask.rendition = path["rendition"];
  co_return co_await send_file(at, req, std::move(ask));
}

} // namespace troupe::net
