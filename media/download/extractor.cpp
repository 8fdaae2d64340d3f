#include "media/download/extractor.hpp"

#include "media/download/await_files.hpp"
#include "media/download/command.hpp"
#include "media/download/error_rules.hpp"
#include "media/download/params.hpp"
#include "media/download/source_info.hpp"
#include "media/download/tool_step.hpp"
#include "media/download/work_files.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <cstdint>
#include <deque>
#include <random>
#include <set>
#include <utility>

namespace troupe::media {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_waiting = 256;
constexpr unsigned most_entries = 1000;
constexpr std::uint64_t most_bytes = 256u << 20;

failure as_failure(const failure_report& why) {
  return fail(why.code, why.message);
}

/// One look at a URL, from its folder's making to its removal.
class url_look {
public:
  url_look(const download_services& services, std::string url,
           std::filesystem::path folder)
    : services_(services), url_(std::move(url)), folder_(std::move(folder)),
      tool_(std::make_shared<tool_step>(services.threads)) {}

  asio::awaitable<result<std::string>> answer() {
    auto prepare = [this] {
      return make_ready();
    };
    const auto ready =
      co_await on_file_thread(services_.threads.files(), prepare);
    result<std::string> found =
      ready ? result<std::string>{} : result<std::string>{ready.error()};
    if (ready)
      found = co_await ask();
    auto tidy = [this] {
      std::error_code ignored;
      return std::filesystem::remove_all(folder_, ignored) > 0;
    };
    co_await on_file_thread(services_.threads.files(), tidy);
    co_return found;
  }

  void stop() {
    stopped_ = true;
    tool_->stop();
  }

private:
  result<void> make_ready() {
    const auto host = host_of_url(url_);
    if (host.empty())
      return fail(errc::unsupported_url, url_);
    if (!services_.guard.may_name(host))
      return fail(errc::source_forbidden, host + " may not be fetched from");
    const auto program = find_program(services_.tools.yt_dlp);
    if (program.empty())
      return fail(errc::tool_missing, services_.tools.yt_dlp);
    launcher_ = launcher_of(program, find_program(services_.tools.python));
    if (launcher_.front().empty())
      return fail(errc::tool_missing, services_.tools.python);
    return work::prepare(folder_, {});
  }

  asio::awaitable<result<std::string>> ask() {
    if (stopped_)
      co_return fail(errc::interrupted);
    const auto account = services_.proxy.open({most_bytes, 0});
    std::string text;
    error_lines said;
    auto out = [&text](std::string_view line) {
      if (line.size() > text.size())
        text = line;
    };
    auto err = [&said](std::string_view line) {
      said.take(line);
    };
    const std::chrono::seconds limit{services_.tools.extract_timeout_s};
    auto order = command(account->url());
    const auto end =
      co_await tool_->run(services_.runner, std::move(order), out, err, limit);
    if (stopped_)
      co_return fail(errc::interrupted);
    if (!end)
      co_return end.error();
    if (end->timed_out)
      co_return fail(errc::timeout, "the source gave no answer within "
                                      + std::to_string(limit.count()) + " s");
    if (!end->exit.guard_error.empty())
      co_return fail(errc::io_error, end->exit.guard_error);
    if (end->exit.status != 0 || end->exit.signal != 0)
      co_return as_failure(sort_failure(said, end->exit, account->report()));
    auto read = [&text] {
      return extract_answer(text);
    };
    co_return co_await on_file_thread(services_.threads.files(), read);
  }

  tool_command command(const std::string& proxy) const {
    const ytdlp_call call{launcher_, "", proxy,
                          work::cookies_of(folder_).string()};
    auto order = command_within(services_.tools);
    order.argv = extract_command(call, url_, "", "", most_entries);
    order.environment = ytdlp_environment();
    order.folder = folder_;
    order.readable = readable_for(launcher_);
    const auto url = boost::urls::parse_uri(proxy);
    order.connect_port = url ? url->port_number() : std::uint16_t{0};
    return order;
  }

  const download_services& services_;
  std::string url_;
  std::filesystem::path folder_;
  std::shared_ptr<tool_step> tool_;
  std::vector<std::string> launcher_;
  bool stopped_ = false;
};

} // namespace

/// On the io thread, but for `next_`. Invariant: at most `max_extracts` looks
/// run, and while one waits exactly so many do.
struct extractor::impl : std::enable_shared_from_this<impl> {
  struct request {
    std::string url;
    done then;
  };

  /// What an earlier life has left goes; its tools may still be dying there,
  /// so no life uses the names of another.
  impl(const download_services& given, std::filesystem::path where)
    : services(given), folder(std::move(where)) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  void add(request asked) {
    if (closed)
      return asked.then(fail(errc::interrupted));
    if (waiting.size() >= most_waiting)
      return asked.then(fail(errc::rate_limited, "too many looks at once"));
    waiting.push_back(std::move(asked));
    begin();
  }

  void begin() {
    while (!waiting.empty() && running.size() < services.tools.max_extracts) {
      auto asked = std::move(waiting.front());
      waiting.pop_front();
      const auto look =
        std::make_shared<url_look>(services, std::move(asked.url),
                                   folder / (life + std::to_string(++count)));
      running.insert(look);
      asio::co_spawn(
        services.threads.io(), look->answer(),
        [self = shared_from_this(), look, then = std::move(asked.then)](
          const std::exception_ptr& defect, result<std::string> answer) {
          self->running.erase(look);
          then(defect ? result<std::string>{fail(errc::internal)}
                      : std::move(answer));
          self->begin();
        });
    }
  }

  void close() {
    closed = true;
    for (auto& asked : std::exchange(waiting, {}))
      asked.then(fail(errc::interrupted));
    for (const auto& look : running)
      look->stop();
  }

  const download_services& services;
  std::filesystem::path folder;
  std::deque<request> waiting;
  std::set<std::shared_ptr<url_look>> running;
  const std::string life = std::to_string(std::random_device{}()) + '-';
  std::uint64_t count = 0;
  bool closed = false;
};

extractor::extractor(const download_services& services,
                     std::filesystem::path folder)
  : impl_(std::make_shared<impl>(services, std::move(folder))) {}

extractor::~extractor() {
  asio::post(impl_->services.threads.io(), [impl = impl_] { impl->close(); });
}

void extractor::extract(std::string url, done then) {
  asio::post(impl_->services.threads.io(),
             [impl = impl_, asked = impl::request{std::move(url),
                                                  std::move(then)}]() mutable {
               impl->add(std::move(asked));
             });
}

} // namespace troupe::media
