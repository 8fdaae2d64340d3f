#include "net/cli/api.hpp"
#include "net/cli/table.hpp"
#include "net/cli/text.hpp"

#include <boost/json.hpp>

#include <cmath>
#include <iostream>

namespace troupe::cli {

namespace {

using boost::json::value;
using row = std::vector<std::string>;

std::string seconds_text(const value& from, std::string_view member) {
  const auto& number = member_of(from, member);
  return number.is_number()
           ? std::to_string(std::lround(number_of(from, member))) + " s"
           : "";
}

std::string bitrate_text(const value& health) {
  const auto kilobits = std::lround(number_of(health, "bitrate") / 1000);
  return kilobits > 0 ? std::to_string(kilobits) + " kbit/s" : "";
}

row stream_row(const value& stream) {
  const auto& health = member_of(stream, "health");
  return {text_of(stream, "id"),    text_of(stream, "state"),
          text_of(stream, "mode"),  text_of(health, "rendition"),
          bitrate_text(health),     seconds_text(health, "buffer_s"),
          text_of(health, "state"), printable(text_of(stream, "source"))};
}

} // namespace

int list_streams(const client_options& to) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  const auto streams = ask_pages(*at, "/v1/streams", "streams");
  if (!streams)
    return streams.error().code;
  if (to.json) {
    print_json({{"streams", *streams}, {"next_page_token", ""}});
    return exit_done;
  }
  std::vector<row> rows = {{"STREAM", "STATE", "MODE", "PLAYS", "BITRATE",
                            "BUFFER", "HEALTH", "SOURCE"}};
  for (const auto& stream : *streams)
    rows.push_back(stream_row(stream));
  print_table(rows);
  return exit_done;
}

} // namespace troupe::cli
