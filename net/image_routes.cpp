#include "actors/store/json_text.hpp"
#include "config/metrics.hpp"
#include "media/imaging/service.hpp"
#include "net/image_answer.hpp"
#include "net/job_id.hpp"
#include "net/route_parts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <ctime>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr std::string_view job_scheme = "job:";
/// What asks get beyond the deadline of what they ask for.
constexpr std::chrono::milliseconds margin{500};
/// For what nobody waits for.
constexpr std::chrono::minutes later_limit{2};

std::chrono::milliseconds time_for(const edge& at) {
  return std::chrono::milliseconds{
    static_cast<std::int64_t>(at.images->settings.timeout_s * 1000)};
}

double ms_since(clock::time_point then) {
  return std::chrono::duration<double, std::milli>(clock::now() - then).count();
}

/// Asks for what the job has come to that is the source, if one is.
asio::awaitable<result<void>> ask_job(edge& at, media::image_query& query) {
  if (!query.source.starts_with(job_scheme))
    co_return result<void>{};
  auto id = query.source.substr(job_scheme.size());
  if (!is_job_id(id))
    co_return fail(media::errc::source_not_found, "no such job");
  auto call = [&id](actors::gateway& to, auto reply) {
    to.get(id, std::move(reply));
  };
  auto job = co_await ask<store::job>(at, call);
  if (!job)
    co_return job.error();
  if (job->state != store::job_state::succeeded)
    co_return fail(media::errc::source_not_found, "that job has made no file");
  query.job_result = std::move(job->result);
  co_return result<void>{};
}

asio::awaitable<result<media::image_found>> look(edge& at,
                                                 media::image_query query) {
  auto start = [&at, query = std::move(query)](
                 actors::reply_to<media::image_found> reply) mutable {
    at.parts.images->find(std::move(query), std::move(reply));
  };
  const auto limit = time_for(at) + margin;
  co_return co_await at.asks.ask<media::image_found>(limit, std::move(start));
}

asio::awaitable<result<actors::image_reply>>
have_made(edge& at, media::work_ptr work, clock::time_point deadline) {
  actors::image_ask wish{std::move(work), deadline, 5};
  auto start = [&at, wish = std::move(wish)](
                 actors::reply_to<actors::image_reply> reply) mutable {
    at.parts.crew->make(std::move(wish), std::move(reply));
  };
  const auto limit = time_for(at) + margin;
  co_return co_await at.asks.ask<actors::image_reply>(limit, std::move(start));
}

/// Has it made, though nobody waits for it.
asio::awaitable<void> make_later(edge& at, media::image_query query) {
  query.hurry = false;
  auto found = co_await look(at, std::move(query));
  if (!found || !found->work)
    co_return;
  actors::image_ask wish{std::move(found->work), clock::now() + later_limit, 9};
  at.parts.crew->make(std::move(wish),
                      [](const result<actors::image_reply>&) {});
}

/// Whether others are quicker to make, and will do.
bool may_be_stood_in(const edge& at, const media::image_query& query,
                     const media::image_found& found) {
  return found.work && query.accepted.webp
         && query.options.format == media::image_format::none
         && is_slow(at.images->settings, found.work->options);
}

/// What the request gets, as far as it is there; else the work.
asio::awaitable<result<media::image_found>>
look_for(edge& at, media::image_query query, bool& stands_in) {
  auto found = co_await look(at, query);
  if (!found || !may_be_stood_in(at, query, *found))
    co_return found;
  auto later = make_later(at, query);
  asio::co_spawn(co_await asio::this_coro::executor, std::move(later),
                 asio::detached);
  stands_in = true;
  query.accepted.avif = false;
  co_return co_await look(at, std::move(query));
}

/// From the cache, or made.
asio::awaitable<result<image_at_hand>> obtain(edge& at,
                                              media::image_query query) {
  const auto began = clock::now();
  const auto known = co_await ask_job(at, query);
  if (!known)
    co_return known.error();
  image_at_hand out;
  auto found = co_await look_for(at, std::move(query), out.stands_in);
  if (!found)
    co_return found.error();
  out.look_ms = ms_since(began);
  if (found->image) {
    out.image = std::move(found->image);
    out.how = found->stale ? "stale" : "hit";
    co_return out;
  }
  auto made =
    co_await have_made(at, std::move(found->work), began + time_for(at));
  if (!made)
    co_return made.error();
  out.image = std::move(made->image);
  out.how = made->coalesced ? "coalesced" : "miss";
  out.wait_ms = made->waited_ms;
  out.make_ms = made->made_ms;
  co_return out;
}

answering answer_with(edge& at, const request& req, wanted_image wanted) {
  const auto began = clock::now();
  auto query = std::move(wanted.query);
  const auto got = co_await obtain(at, std::move(query));
  auto& metrics = at.parts.metrics;
  metrics.image_answered(got ? got->how : "failed", ms_since(began) / 1000);
  if (!got)
    co_return image_refusal(got.error());
  auto out = image_answer(req, wanted, *got);
  out.kind = traffic::image;
  co_return out;
}

response no_images() {
  return not_found("this server makes no images");
}

void append_tier(std::string& out, const media::cache_figures& of) {
  out += R"({"entries":)" + std::to_string(of.entries) + R"(,"bytes":)"
         + std::to_string(of.bytes) + R"(,"evicted":)"
         + std::to_string(of.evicted) + R"(,"broken":)"
         + std::to_string(of.broken) + R"(,"dropped":)"
         + std::to_string(of.dropped) + '}';
}

void append_side(std::string& out, const actors::crew_figures::side& of) {
  out += R"({"waiting":)" + std::to_string(of.waiting) + R"(,"busy":)"
         + std::to_string(of.busy) + R"(,"children":)"
         + std::to_string(of.children) + '}';
}

std::string stats_of(const media::image_figures& cache,
                     const actors::crew_figures& crew) {
  const auto member = [](const char* name, auto value) {
    return ",\"" + std::string{name} + "\":" + std::to_string(value);
  };
  std::string out = R"({"memory":)";
  append_tier(out, cache.memory);
  out += R"(,"disk":)";
  append_tier(out, cache.disk);
  out += member("hits", cache.hits) + member("disk_hits", cache.disk_hits)
         + member("misses", cache.misses) + member("stale", cache.stale)
         + member("denied", cache.denied) + member("fetches", cache.fetches)
         + member("derived", cache.derived)
         + member("coalesced", crew.coalesced) + member("tasks", crew.tasks)
         + member("outputs", crew.outputs) + member("refused", crew.refused)
         + member("replaced", crew.replaced)
         + member("saved_s", cache.saved_ms / 1000) + R"(,"page":)";
  append_side(out, crew.page);
  out += R"(,"batch":)";
  append_side(out, crew.batch);
  return out + '}';
}

} // namespace

answering serve_image(edge& at, const request& req, const path_params&) {
  if (!at.images
      || !req.target.path.starts_with(at.images->settings.path_prefix + '/'))
    co_return no_images();
  auto read = read_image_request(*at.images, req, std::time(nullptr));
  if (const auto* why = std::get_if<problem>(&read))
    co_return image_refusal(*why);
  auto& wanted = std::get<wanted_image>(read);
  co_return co_await answer_with(at, req, std::move(wanted));
}

answering make_image(edge& at, const request& req, const path_params&) {
  if (!at.images)
    co_return no_images();
  auto read = read_image_upload(*at.images, req);
  if (const auto* why = std::get_if<problem>(&read))
    co_return image_refusal(*why);
  auto ending = req.upload->finish();
  auto input = co_await std::move(ending);
  if (!input)
    co_return image_refusal(input.error());
  if ((*input)->size == 0)
    co_return image_refusal(
      problem{problem_code::invalid_request, "the body must be an image"});
  auto& wanted = std::get<wanted_image>(read);
  wanted.query.input = std::move(*input);
  co_return co_await answer_with(at, req, std::move(wanted));
}

answering purge_images(edge& at, const request& req, const path_params&) {
  if (!at.images)
    co_return no_images();
  auto read = read_purge(req.body);
  if (const auto* why = std::get_if<problem>(&read))
    co_return answer(*why);
  auto start = [&at, order = std::get<media::purge_order>(read)](
                 actors::reply_to<std::uint64_t> reply) {
    at.parts.images->purge(order, std::move(reply));
  };
  const auto gone =
    co_await at.asks.ask<std::uint64_t>(limit_of(at), std::move(start));
  if (!gone)
    co_return answer(problem_of(gone.error()));
  response out;
  out.body = R"({"purged":)" + std::to_string(*gone) + '}';
  co_return out;
}

answering show_images(edge& at, const request&, const path_params&) {
  if (!at.images)
    co_return no_images();
  auto start = [&at](actors::reply_to<actors::crew_figures> reply) {
    at.parts.crew->crew(std::move(reply));
  };
  const auto crew =
    co_await at.asks.ask<actors::crew_figures>(limit_of(at), start);
  if (!crew)
    co_return answer(problem_of(crew.error()));
  response out;
  out.body = stats_of(at.parts.images->figures(), *crew);
  co_return out;
}

} // namespace troupe::net
