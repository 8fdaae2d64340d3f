#include "config/log.hpp"
#include "config/metrics.hpp"
#include "media/download/await_files.hpp"
#include "media/download/run.hpp"
#include "media/download/selector.hpp"
#include "media/download/source_state.hpp"
#include "media/files/sync.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace troupe::media {

namespace asio = boost::asio;
using std::chrono::seconds;

namespace {

/// For a page, a manifest and what extractors ask besides.
constexpr std::uint64_t extract_bytes = 256u << 20;
/// Attempts have their own limit above; this one ends what hangs for ever.
constexpr seconds fetch_limit{7 * 24 * 3600};
constexpr seconds look_limit{45};
constexpr std::size_t max_log_line = 1024;

std::uint16_t port_of(const std::string& proxy) {
  const auto url = boost::urls::parse_uri(proxy);
  return url ? url->port_number() : std::uint16_t{0};
}

/// More than `max_filesize` may pass: headers, thumbnails, pieces sent twice.
std::uint64_t brake_for(std::uint64_t max_filesize) {
  return max_filesize == 0 ? 0 : max_filesize + max_filesize / 10 + (4u << 20);
}

/// Of one file: what is converted or merged may grow.
std::uint64_t file_room(std::uint64_t max_filesize) {
  return max_filesize == 0 ? 0 : 2 * max_filesize + (64u << 20);
}

std::filesystem::path cookies_source(const config::tool_settings& tools,
                                     const std::string& name) {
  return name.empty() ? std::filesystem::path{} : tools.cookies_dir / name;
}

} // namespace

step<void> download_run::take_params() {
  auto read = read_download_params(task_.params);
  if (!read)
    return report_of(read.error());
  params_ = std::move(*read);
  const auto host = host_of_url(params_.url);
  if (!services_.guard.may_name(host))
    return failure_report{errc::source_forbidden,
                          host + " may not be fetched from", 0};
  if (!params_.cookies.empty() && services_.tools.cookies_dir.empty())
    return failure_report{errc::bad_params, "tools.cookies_dir is not set", 0};
  if (const auto left = services_.pauses.left(host); left > 0)
    return failure_report{errc::rate_limited, host + " asked for a pause", left,
                          true};
  return {};
}

asio::awaitable<step<void>> download_run::prepare() {
  auto make_ready = [this]() -> step<void> {
    const auto tool = find_program(services_.tools.yt_dlp);
    if (tool.empty())
      return failure_report{errc::tool_missing,
                            services_.tools.yt_dlp
                              + " is not installed; `troupe doctor` says how",
                            0};
    launcher_ = launcher_of(tool, find_program(services_.tools.python));
    if (launcher_.front().empty())
      return failure_report{errc::tool_missing,
                            services_.tools.python + " is not installed", 0};
    ffmpeg_ = find_program(services_.tools.ffmpeg).string();
    const auto good =
      work::prepare(work_, cookies_source(services_.tools, params_.cookies));
    return good ? step<void>{} : report_of(good.error());
  };
  co_return co_await on_file_thread(services_.threads.files(), make_ready);
}

asio::awaitable<step<void>> download_run::extract() {
  open_account(extract_bytes, 0);
  auto good = co_await extract_from(params_.url);
  if (good && !source_.only_entry.empty())
    good = co_await extract_from(source_.only_entry);
  if (good && !source_.only_entry.empty())
    co_return failure_report{errc::is_playlist, source_.title, 0};
  co_return good;
}

asio::awaitable<step<void>> download_run::extract_from(std::string url) {
  std::string text;
  auto out = [&text](std::string_view line) {
    if (line.size() > text.size())
      text = line;
  };
  auto err = [this](std::string_view line) {
    said_.take(line);
    note(line);
  };
  auto order = command(extract_command(call(), url, selector_of(params_),
                                       sort_order_of(params_.format), 1));
  const auto limit = seconds{services_.tools.extract_timeout_s};
  const auto end = co_await run_tool(std::move(order), out, err, limit);
  if (!end)
    co_return end.error();
  if (end->timed_out)
    co_return failure_report{errc::source_unavailable,
                             "the source took too long to look at", 0};
  if (end->exit.status != 0 || end->exit.signal != 0)
    co_return sort_failure(said_, end->exit, account_->report());
  auto read = [this, &text] {
    return take_source(text);
  };
  co_return co_await on_file_thread(services_.threads.files(), read);
}

step<void> download_run::take_source(const std::string& text) {
  auto source = read_source_info(text);
  if (!source)
    return report_of(source.error());
  source_ = std::move(*source);
  return {};
}

asio::awaitable<step<void>> download_run::look() {
  look_ = co_await look_once();
  if (stopping_ != errc::none)
    co_return failure_report{stopping_, "", 0};
  if (look_.live)
    co_return failure_report{errc::is_live, source_.title, 0};
  const auto parts = expected();
  const auto all = std::accumulate(
    parts.begin(), parts.end(), std::uint64_t{0},
    [](std::uint64_t sum, const expected_part& part) {
      return sum
             + static_cast<std::uint64_t>(std::max<std::int64_t>(0, part.size));
    });
  if (params_.max_filesize > 0 && all > params_.max_filesize)
    co_return failure_report{
      errc::too_large, std::to_string(all) + " bytes are to be fetched", 0};
  auto ready = [this] {
    return settle_parts();
  };
  const auto good = co_await on_file_thread(services_.threads.files(), ready);
  if (!good)
    co_return good.error();
  if (sink_)
    sink_->on_checkpoint(to_json(state()));
  meter_.expect(parts);
  report();
  co_return step<void>{};
}

source_state download_run::state() const {
  return {selector_of(params_) + " as "
            + std::string{to_string(params_.format)},
          look_.parts};
}

std::vector<expected_part> download_run::expected() const {
  std::vector<expected_part> parts;
  for (std::size_t i = 0; i < look_.parts.size(); ++i) {
    const auto& format = source_.formats[i];
    const auto length = look_.parts[i].length;
    parts.push_back({format.id, length >= 0 ? length : format.size});
  }
  return parts;
}

/// Keeps what can be continued, drops the rest, writes what yt-dlp goes by.
step<void> download_run::settle_parts() {
  const auto before = read_source_state(task_.checkpoint);
  const bool keep = before && may_continue(*before, state());
  const auto lone = look_.parts.size() == 1 ? look_.parts[0].length : -1;
  resumed_ = work::drop_parts(work_, keep, lone);
  std::vector<std::pair<std::string, std::string>> etags;
  for (std::size_t i = 0; i < look_.parts.size(); ++i)
    if (source_.formats[i].plain() && !look_.parts[i].etag.empty())
      etags.emplace_back(source_.formats[i].id, look_.parts[i].etag);
  const auto good = write_file_synced(work::info_of(work_),
                                      with_if_range(source_.raw, etags), 0600);
  return good ? step<void>{} : report_of(good.error());
}

asio::awaitable<source_look> download_run::look_once() {
  if (stopping_ != errc::none)
    co_return source_look{};
  pending_ = std::make_shared<pending_look>(services_.threads);
  pending_->wake.expires_after(look_limit);
  auto then = [pending = pending_](source_look look) {
    pending->seen = std::move(look);
    pending->wake.cancel();
  };
  const looking look{source_.formats, account_->url(),
                     work::cookies_of(work_).string(), services_.threads.io(),
                     then};
  const auto wait = asio::as_tuple(asio::use_awaitable);
  co_await pending_->wake.async_wait(wait);
  co_return std::exchange(pending_, nullptr)->seen;
}

asio::awaitable<step<void>> download_run::fetch() {
  open_account(brake_for(params_.max_filesize), params_.rate_limit);
  said_ = {};
  auto out = [this](std::string_view line) {
    hear(line);
  };
  auto err = [this](std::string_view line) {
    said_.take(line);
    note(line);
  };
  auto order =
    command(fetch_command(call(), params_, work::info_of(work_).string()));
  const auto end = co_await run_tool(std::move(order), out, err, fetch_limit);
  if (!end)
    co_return end.error();
  auto look_for = [this] {
    return work::find(work_);
  };
  files_ = co_await on_file_thread(services_.threads.files(), look_for);
  if (const auto good = judge_fetch(*end); !good) {
    auto why = good.error();
    co_return co_await blame(std::move(why));
  }
  co_return co_await check_unchanged();
}

/// Exit code 0 is not enough: seen with a fragment skipped, and with no file.
step<void> download_run::judge_fetch(const tool_end& end) {
  if (refused_size_)
    return failure_report{errc::too_large, "larger than max_filesize", 0};
  if (end.exit.status != 0 || end.exit.signal != 0)
    return sort_failure(said_, end.exit, account_->report());
  if (files_.unfinished)
    return failure_report{errc::incomplete, "a part is left unfinished", 0};
  if (files_.media.empty())
    return sort_failure(said_, end.exit, account_->report()).code
               == errc::tool_failed
             ? failure_report{errc::incomplete, "yt-dlp left no file", 0}
             : sort_failure(said_, end.exit, account_->report());
  return {};
}

/// What was put together from several answers has to be of one version.
asio::awaitable<step<void>> download_run::check_unchanged() {
  if (!resumed_)
    co_return step<void>{};
  const auto again = co_await look_once();
  const bool same = std::ranges::equal(again.parts, look_.parts);
  if (same)
    co_return step<void>{};
  auto drop = [this] {
    return work::drop_parts(work_, false, -1);
  };
  co_await on_file_thread(services_.threads.files(), drop);
  co_return failure_report{errc::source_changed,
                           "the source changed while it was fetched", 0};
}

asio::awaitable<step<tool_end>> download_run::run_tool(tool_command order,
                                                       tool_step::on_line out,
                                                       tool_step::on_line err,
                                                       seconds limit) {
  if (stopping_ != errc::none)
    co_return failure_report{stopping_, "", 0};
  auto end = co_await tool_->run(services_.runner, std::move(order),
                                 std::move(out), std::move(err), limit);
  if (end) {
    used_.cpu_ms += end->exit.used.cpu_ms;
    used_.peak_memory = std::max(used_.peak_memory, end->exit.used.peak_memory);
  }
  if (stopping_ != errc::none)
    co_return failure_report{stopping_, "", 0};
  if (!end)
    co_return report_of(end.error());
  if (!end->exit.guard_error.empty())
    co_return failure_report{errc::io_error, end->exit.guard_error, 0};
  co_return std::move(*end);
}

ytdlp_call download_run::call() const {
  return {launcher_, ffmpeg_, account_->url(),
          work::cookies_of(work_).string()};
}

tool_command download_run::command(std::vector<std::string> argv) const {
  auto order = command_within(services_.tools);
  order.argv = std::move(argv);
  order.environment = ytdlp_environment();
  order.folder = work_;
  order.lock_file = work::lock_of(work_);
  order.readable = readable_for(launcher_);
  order.connect_port = port_of(account_->url());
  order.limits.file_size = file_room(params_.max_filesize);
  return order;
}

void download_run::open_account(std::uint64_t max_bytes, std::uint64_t rate) {
  close_account();
  account_ = services_.proxy.open({max_bytes, rate});
}

void download_run::close_account() {
  if (!account_)
    return;
  const auto seen = account_->report();
  account_.reset();
  used_.network += seen.received;
  if (!services_.metrics)
    return;
  services_.metrics->egress_bytes(seen.received);
  if (seen.refused != errc::none)
    services_.metrics->egress_refused(code_of(seen.refused));
}

void download_run::hear(std::string_view line) {
  const auto event = read_output_line(line);
  if (const auto* bytes = std::get_if<fetch_line>(&event))
    meter_.fetched(*bytes);
  else if (const auto* step = std::get_if<postprocess_line>(&event);
           step && !stage_of(*step).empty())
    meter_.enter(stage_of(*step));
  else if (const auto* said = std::get_if<remark>(&event)) {
    resumed_ = resumed_ || *said == remark::resumed;
    refused_size_ = refused_size_ || *said == remark::too_large;
    note(line);
    return;
  } else {
    if (!line.starts_with("[troupe-"))
      note(line);
    return;
  }
  report();
}

/// What the tool says goes into the job's log.
void download_run::note(std::string_view line) {
  if (sink_ && stopping_ == errc::none && !line.empty())
    sink_->on_log(line.substr(0, max_log_line));
}

} // namespace troupe::media
