#include "actors/store/json_text.hpp"
#include "config/metrics.hpp"
#include "media/imaging/open_input.hpp"
#include "media/imaging/service.hpp"
#include "net/image_answer.hpp"
#include "net/job_id.hpp"
#include "net/route_parts.hpp"

#include <boost/asio/co_spawn.hpp>

#include <ctime>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr std::string_view job_scheme = "job:";
/// What asks get beyond the deadline of what they ask for.
constexpr std::chrono::milliseconds margin{500};

std::chrono::milliseconds time_for(const edge& at) {
  return std::chrono::milliseconds{
    static_cast<std::int64_t>(at.images->settings.timeout_s * 1000)};
}

double ms_since(clock::time_point then) {
  return std::chrono::duration<double, std::milli>(clock::now() - then).count();
}

/// Bytes of a body, counted while its image is made; on the io thread alone.
class upload {
public:
  explicit upload(std::uint64_t bytes) : bytes_(bytes) {
    all_ += bytes_;
  }
  ~upload() {
    all_ -= bytes_;
  }
  upload(const upload&) = delete;
  upload& operator=(const upload&) = delete;

  static std::uint64_t all() {
    return all_;
  }

private:
  static inline std::uint64_t all_ = 0;
  const std::uint64_t bytes_;
};

response too_many_uploads() {
  problem out{problem_code::queue_full, "too many images are being sent"};
  out.retry_after_s = 1;
  return answer(out);
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

/// From the cache, or made.
asio::awaitable<result<image_at_hand>> obtain(edge& at,
                                              media::image_query query) {
  const auto began = clock::now();
  const auto known = co_await ask_job(at, query);
  if (!known)
    co_return known.error();
  auto found = co_await look(at, std::move(query));
  if (!found)
    co_return found.error();
  image_at_hand out;
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
  co_return image_answer(req, wanted, *got);
}

response no_images() {
  return not_found("this server makes no images");
}

/// On a thread that may block.
asio::awaitable<result<media::descriptor>> write_down(std::string_view bytes) {
  co_return media::file_of(bytes);
}

void append_tier(std::string& out, const media::cache_figures& of) {
  out += R"({"entries":)" + std::to_string(of.entries) + R"(,"bytes":)"
         + std::to_string(of.bytes) + R"(,"evicted":)"
         + std::to_string(of.evicted) + R"(,"broken":)"
         + std::to_string(of.broken) + '}';
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
    co_return answer(*why);
  auto& wanted = std::get<wanted_image>(read);
  co_return co_await answer_with(at, req, std::move(wanted));
}

answering make_image(edge& at, const request& req, const path_params&) {
  if (!at.images)
    co_return no_images();
  auto read = read_image_upload(*at.images, req);
  if (const auto* why = std::get_if<problem>(&read))
    co_return answer(*why);
  if (upload::all() + req.body.size() > at.images->settings.upload_bytes)
    co_return too_many_uploads();
  const upload counted{req.body.size()};
  auto writing = write_down(req.body);
  auto file =
    co_await asio::co_spawn(at.files, std::move(writing), asio::use_awaitable);
  if (!file)
    co_return image_refusal(file.error());
  auto& wanted = std::get<wanted_image>(read);
  auto input = std::make_shared<media::image_input>();
  input->file = std::move(*file);
  input->name = "upload";
  input->identity = "upload\n" + media::to_hex(media::key_of(req.body));
  input->size = req.body.size();
  input->look = media::look_at(req.body.substr(0, media::look_bytes));
  input->steady = true;
  wanted.query.input = std::move(input);
  co_return co_await answer_with(at, req, std::move(wanted));
}

answering purge_images(edge& at, const request& req, const path_params&) {
  if (!at.images)
    co_return no_images();
  auto read = read_purge(req.body);
  if (const auto* why = std::get_if<problem>(&read))
    co_return answer(*why);
  auto start = [&at, what = std::get<purge_request>(read)](
                 actors::reply_to<std::uint64_t> reply) mutable {
    at.parts.images->purge(what.order, std::move(what.source),
                           std::move(reply));
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
