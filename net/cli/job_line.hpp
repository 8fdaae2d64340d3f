#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <string>

/// A job on one line, for people.
namespace troupe::cli {

/// What it is about: the result's title, else the URL's last part, else its
/// type. Not yet made printable.
[[nodiscard]] std::string title_of(const boost::json::value& job);

/// `download 42% 12.3 MiB of 29.0 MiB, 5.2 MiB/s, ETA 0:19`.
[[nodiscard]] std::string progress_text(const boost::json::value& job);

/// A bar that fills `width` columns.
[[nodiscard]] std::string bar_line(const boost::json::value& job,
                                   std::size_t width);

/// What became of an ended job: its file, or why it failed.
[[nodiscard]] std::string outcome_text(const boost::json::value& job);

[[nodiscard]] bool has_ended(const boost::json::value& job);

} // namespace troupe::cli
