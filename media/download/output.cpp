#include "media/download/output.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>

namespace troupe::media {

namespace {

namespace json = boost::json;

constexpr std::string_view download_mark = "[troupe-download]";
constexpr std::string_view postprocess_mark = "[troupe-postprocess]";
constexpr std::size_t longest = 4096;
/// Beyond this a double no longer counts single bytes.
constexpr double most_countable = 9e15;

double number_of(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  if (!found)
    return -1;
  boost::system::error_code bad;
  const auto value = found->to_number<double>(bad);
  return bad || !std::isfinite(value) || value < 0 || value > most_countable
           ? -1
           : value;
}

std::int64_t bytes_of(const json::object& from, std::string_view key) {
  return static_cast<std::int64_t>(number_of(from, key));
}

std::string_view field_text(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found && found->is_string() ? std::string_view{found->get_string()}
                                     : std::string_view{};
}

output_event read_fetch(const json::object& line) {
  const auto* found = line.if_contains("progress");
  if (!found || !found->is_object())
    return {};
  const auto& now = found->get_object();
  const auto status = field_text(now, "status");
  if (status != "downloading" && status != "finished")
    return {};
  fetch_line read;
  read.format = field_text(line, "format");
  read.done = std::max<std::int64_t>(0, bytes_of(now, "downloaded_bytes"));
  read.total = bytes_of(now, "total_bytes");
  read.estimate = bytes_of(now, "total_bytes_estimate");
  read.rate = std::max(0.0, number_of(now, "speed"));
  read.complete = status == "finished";
  return read;
}

output_event read_postprocess(const json::object& line) {
  const auto name = field_text(line, "postprocessor");
  if (name.empty())
    return {};
  return postprocess_line{std::string{name},
                          field_text(line, "status") == "started"};
}

template <class Read>
output_event read_object(std::string_view text, Read read) {
  boost::system::error_code bad;
  const auto parsed = json::parse(text, bad);
  return bad || !parsed.is_object() ? output_event{}
                                    : read(parsed.get_object());
}

/// What yt-dlp says next stands on the same line, and counts if it tells more.
output_event read_postprocess_line(std::string_view line) {
  line.remove_prefix(postprocess_mark.size());
  const auto end = std::min(line.find('}'), line.size() - 1) + 1;
  auto own = read_object(line.substr(0, end), read_postprocess);
  auto next = read_output_line(line.substr(end));
  return std::holds_alternative<std::monostate>(next) ? own : next;
}

} // namespace

output_event read_output_line(std::string_view line) {
  while (!line.empty() && (line.front() == '\r' || line.front() == ' '))
    line.remove_prefix(1);
  if (line.size() > longest)
    return {};
  if (line.starts_with(download_mark))
    return read_object(line.substr(download_mark.size()), read_fetch);
  if (line.starts_with(postprocess_mark))
    return read_postprocess_line(line);
  if (line.starts_with("[download] Resuming download at byte")
      || line.find("Retrying (") != line.npos)
    return remark::resumed;
  if (line.starts_with("[download] File is larger than max-filesize"))
    return remark::too_large;
  return {};
}

} // namespace troupe::media
