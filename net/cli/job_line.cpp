#include "net/cli/job_line.hpp"

#include "net/cli/api.hpp"
#include "net/cli/text.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::cli {

namespace {

namespace json = boost::json;

std::string amount(double value, bool bytes) {
  if (bytes)
    return bytes_text(value);
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.0f", value);
  return buffer;
}

/// How far, how fast, how long: what is known of it.
std::string figures(const json::value& progress) {
  const bool bytes = text_of(progress, "unit") == "bytes";
  const auto done = number_of(progress, "done");
  const auto total = number_of(progress, "total");
  const auto rate = number_of(progress, "rate");
  const auto eta = number_of(progress, "eta_s", -1);
  std::string out;
  if (done > 0 || total > 0)
    out = amount(done, bytes);
  if (total > 0)
    out += "/" + amount(total, bytes);
  if (rate > 0 && bytes)
    out += "  " + bytes_text(rate) + "/s";
  if (eta >= 0)
    out += "  ETA " + duration_text(eta);
  return out;
}

std::string percent(double fraction) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "%5.1f%%",
                std::clamp(fraction, 0.0, 1.0) * 100);
  return fraction < 0 ? "   ?  " : buffer;
}

std::string bar(double fraction, std::size_t width) {
  const auto full = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0)
                                             * static_cast<double>(width));
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

std::string stage_of(const json::value& job) {
  const auto state = text_of(job, "state");
  const auto stage = text_of(member_of(job, "progress"), "stage");
  return state == "running" && !stage.empty() ? stage : state;
}

} // namespace

std::string title_of(const json::value& job) {
  if (auto title = text_of(member_of(job, "result"), "title"); !title.empty())
    return title;
  auto url = text_of(member_of(job, "params"), "url");
  if (url.empty())
    return text_of(job, "type");
  url.resize(std::min(url.size(), url.find_first_of("?#")));
  while (url.ends_with('/'))
    url.pop_back();
  return url.substr(url.rfind('/') + 1);
}

std::string progress_text(const json::value& job) {
  const auto& progress = member_of(job, "progress");
  const auto fraction = number_of(progress, "fraction", -1);
  auto out = stage_of(job);
  if (text_of(job, "state") != "running")
    return out;
  if (fraction >= 0)
    out += " " + percent(fraction);
  if (auto known = figures(progress); !known.empty())
    out += "  " + known;
  return out;
}

std::string bar_line(const json::value& job, std::size_t width) {
  const auto& progress = member_of(job, "progress");
  const auto fraction = number_of(progress, "fraction", -1);
  const auto title_width = std::clamp<std::size_t>(width / 4, 8, 40);
  auto line = pad(clip(printable(title_of(job)), title_width), title_width);
  line += " " + pad(clip(printable(stage_of(job)), 11), 11);
  const bool running = text_of(job, "state") == "running";
  const auto right = running ? "  " + figures(progress) : "";
  // The bar takes what the figures at their widest leave.
  const std::size_t taken = title_width + 12 + 8 + 2 + 46;
  if (running && width > taken + 10)
    line += " " + bar(fraction, std::min<std::size_t>(width - taken, 40));
  if (running)
    line += " " + percent(fraction) + right;
  return clip(line, width);
}

std::string outcome_text(const json::value& job) {
  const auto state = text_of(job, "state");
  const auto& result = member_of(job, "result");
  auto out = state;
  if (state == "succeeded") {
    if (auto path = text_of(result, "path"); !path.empty())
      out += "  " + path;
    if (const auto size = number_of(result, "size"); size > 0)
      out += "  " + bytes_text(size);
    if (const auto length = number_of(result, "duration_s"); length > 0)
      out += "  " + duration_text(length);
  } else if (state == "failed") {
    const auto& error = member_of(job, "error");
    out += "  " + text_of(error, "code") + ": " + text_of(error, "message");
  }
  return printable(out);
}

bool has_ended(const json::value& job) {
  const auto state = text_of(job, "state");
  return state == "succeeded" || state == "failed" || state == "cancelled";
}

} // namespace troupe::cli
