#pragma once

#include <boost/json/value.hpp>

#include <string>

/// JSON as people read it. Boost.JSON writes 25 frames as `2.5E1`.
namespace troupe::media {

/// Appends the shortest decimal text that reads back as `value`, with an
/// exponent only where it is very large or very small; `null` if it is not
/// finite.
void append_plain(std::string& out, double value);

/// The value as JSON text.
[[nodiscard]] std::string plain_json(const boost::json::value& value);
[[nodiscard]] std::string plain_json(const boost::json::object& value);

} // namespace troupe::media
