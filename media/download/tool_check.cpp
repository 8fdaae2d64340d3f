#include "media/download/tool_check.hpp"

#include "media/download/command.hpp"
#include "media/download/tool_step.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <unistd.h>

#include <charconv>

namespace troupe::media {

namespace asio = boost::asio;
namespace chrono = std::chrono;

namespace {

constexpr chrono::days stale{60};
constexpr std::string_view how_to_get =
  ": run pipx install yt-dlp (later pipx upgrade yt-dlp); or apt install "
  "yt-dlp from Debian's backports; or download "
  "https://github.com/yt-dlp/yt-dlp/releases/latest/download/yt-dlp, make it "
  "executable and set tools.yt_dlp to its path";

std::string ytdlp_advice(std::string begin) {
  return std::move(begin.append(how_to_get));
}

std::optional<int> number_in(std::string_view text) {
  int value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, bad] = std::from_chars(text.data(), end, value);
  if (bad != std::errc{} || at != end)
    return std::nullopt;
  return value;
}

asio::awaitable<std::string>
first_line_of(runtime& threads, tool_runner& runner, tool_command order) {
  const auto step = std::make_shared<tool_step>(threads);
  std::string first;
  auto out = [&first](std::string_view line) {
    if (first.empty())
      first = line;
  };
  const auto end =
    co_await step->run(runner, std::move(order), out, {}, chrono::seconds{10});
  const bool good = end && !end->timed_out && end->exit.status == 0
                    && end->exit.signal == 0 && end->exit.guard_error.empty();
  co_return good ? first : std::string{};
}

std::string run_for_line(runtime& threads, tool_runner& runner,
                         std::vector<std::string> argv) {
  tool_command order;
  order.readable = readable_for(argv);
  order.argv = std::move(argv);
  order.environment = ytdlp_environment();
  order.folder = std::filesystem::temp_directory_path();
  order.nice = 0; // somebody waits for it
  auto line = first_line_of(threads, runner, std::move(order));
  return asio::co_spawn(threads.io(), std::move(line), asio::use_future).get();
}

tool_health missing(std::string name, std::string advice) {
  return {std::move(name), "", "", std::move(advice), false};
}

tool_health check_ytdlp(const config::tool_settings& tools, runtime& threads,
                        tool_runner& runner) {
  const auto path = find_program(tools.yt_dlp);
  if (path.empty())
    return missing("yt-dlp",
                   ytdlp_advice("downloads need \"" + tools.yt_dlp
                                + "\" (tools.yt_dlp), and no such program "
                                  "is there. Install it"));
  auto argv = launcher_of(path, find_program(tools.python));
  if (argv.front().empty())
    return missing("yt-dlp",
                   "it is a script, and Python, which runs it, is not there: "
                   "apt install python3");
  argv.insert(argv.end(), {"--ignore-config", "--version"});
  tool_health health{"yt-dlp", path.string(), "", "", true};
  health.version = run_for_line(threads, runner, std::move(argv));
  if (health.version.empty()) {
    health.usable = false;
    health.advice = ytdlp_advice("it does not start. Install another");
    return health;
  }
  health.advice = advice_on_age(
    health.version, chrono::floor<chrono::days>(chrono::system_clock::now()));
  return health;
}

tool_health check_ffmpeg(const config::tool_settings& tools, runtime& threads,
                         tool_runner& runner) {
  const auto path = find_program(tools.ffmpeg);
  if (path.empty())
    return missing("ffmpeg", "apt install ffmpeg");
  auto line = run_for_line(threads, runner, {path.string(), "-version"});
  constexpr std::string_view begin = "ffmpeg version ";
  if (line.starts_with(begin))
    line =
      line.substr(begin.size(), line.find(' ', begin.size()) - begin.size());
  return {"ffmpeg", path.string(), line,
          line.empty() ? "it does not start: apt install ffmpeg" : "",
          !line.empty()};
}

tool_health check_codec(const std::filesystem::path& codec) {
  if (::access(codec.c_str(), X_OK) != 0)
    return missing("troupe-codec", "put it beside troupe: " + codec.string());
  return {"troupe-codec", codec.string(), "", "", true};
}

} // namespace

std::optional<chrono::year_month_day>
date_of_version(std::string_view version) {
  if (version.size() < 10 || version[4] != '.' || version[7] != '.')
    return std::nullopt;
  const auto year = number_in(version.substr(0, 4));
  const auto month = number_in(version.substr(5, 2));
  const auto day = number_in(version.substr(8, 2));
  if (!year || !month || !day)
    return std::nullopt;
  const chrono::year_month_day date{
    chrono::year{*year}, chrono::month{static_cast<unsigned>(*month)},
    chrono::day{static_cast<unsigned>(*day)}};
  return date.ok() ? std::optional{date} : std::nullopt;
}

std::string advice_on_age(std::string_view version, chrono::sys_days today) {
  const auto date = date_of_version(version);
  if (!date)
    return ytdlp_advice(
      "its version, " + std::string{version}
      + ", is no date, so it may be no yt-dlp. Install another");
  const auto age = today - chrono::sys_days{*date};
  if (age <= stale)
    return {};
  return ytdlp_advice(
    "it is " + std::to_string(age.count())
    + " days old, and sites change within weeks. Install a new one");
}

std::vector<tool_health> check_tools(const config::tool_settings& tools,
                                     runtime& threads, tool_runner& runner,
                                     const std::filesystem::path& codec) {
  return {check_ytdlp(tools, threads, runner),
          check_ffmpeg(tools, threads, runner), check_codec(codec)};
}

} // namespace troupe::media
