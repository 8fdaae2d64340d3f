#pragma once

#include <boost/json/value.hpp>
#include <simdjson.h>

namespace troupe::net {

/// A value as valijson reads it, and no more of it than tells whether it is
/// valid: of an array that is too long one item too many, of a list or object
/// where the schema takes none its kind alone, nothing of what may be anything.
/// So what a wrong value costs is bounded by the schema and not by its size.
/// @param schema of the value; null: nothing is asked of it
[[nodiscard]] boost::json::value value_for(const boost::json::object* schema,
                                           simdjson::dom::element from,
                                           const boost::json::storage_ptr& to);

} // namespace troupe::net
