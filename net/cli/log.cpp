#include "net/cli/api.hpp"
#include "net/cli/commands.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

namespace troupe::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 500ms;
/// So much of the end of what was printed tells where the rest begins.
constexpr std::size_t anchor_bytes = 512;

/// Prints what is new; the log's beginning goes when it grows large.
void print_news(const std::string& text, std::string& anchor) {
  std::size_t from = 0;
  if (!anchor.empty())
    if (const auto at = text.rfind(anchor); at != text.npos)
      from = at + anchor.size();
  std::cout << text.substr(from) << std::flush;
  if (!text.empty())
    anchor = text.substr(text.size() - std::min(text.size(), anchor_bytes));
}

/// The log's text; what is wrong has been said.
outcome<std::string> log_of(const server_address& at, const std::string& path) {
  auto got = call(at, "GET", path + "/log");
  if (got && got->status == 200)
    return std::move(got->body);
  // Says why, in the words of the job's own page.
  auto job = ask(at, "GET", path);
  return job ? stop{exit_no_server} : job.error();
}

} // namespace

int show_log(const client_options& to, const std::string& id, bool follow) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  const auto path = "/v1/jobs/" + percent_encoded(id);
  for (std::string anchor;;) {
    auto job = ask(*at, "GET", path);
    if (!job)
      return job.error().code;
    auto text = log_of(*at, path);
    if (!text)
      return text.error().code;
    print_news(*text, anchor);
    const auto state = text_of(*job, "state");
    if (state == "failed" && follow)
      return exit_failed;
    if (!follow || state == "succeeded" || state == "cancelled")
      return exit_done;
    std::this_thread::sleep_for(look_every);
  }
}

} // namespace troupe::cli
