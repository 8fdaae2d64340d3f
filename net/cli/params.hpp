#pragma once

#include "config/result.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace troupe::cli {

/// Makes a job's `params` of `key=value` and `key:=json`, typed by the schema
/// of the job's type: numbers, true and false, lists split at commas. A value
/// that is not of its type is passed on as text; the server says what it needs.
/// `std::errc::invalid_argument` for what is not written so at all.
[[nodiscard]] result<boost::json::object>
make_params(const std::vector<std::string>& written,
            const boost::json::value& schema);

} // namespace troupe::cli
