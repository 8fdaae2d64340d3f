#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <span>
#include <string>
#include <string_view>

namespace troupe::net {

/// The schema of the value at a place, found by `properties` and `items`
/// alone; null where these do not lead.
/// @param place as valijson tells it: `{"<root>", "[a]", "[0]"}`
[[nodiscard]] const boost::json::object*
schema_at(const boost::json::value& document,
          std::span<const std::string> place);

/// Says in a sentence what valijson complains of: what the schema asks for.
/// @param schema of the value; null: unknown
[[nodiscard]] std::string words_for(std::string_view complaint,
                                    const boost::json::object* schema);

/// True for a complaint about the type of a value: others follow from it.
[[nodiscard]] bool is_about_type(std::string_view complaint) noexcept;

} // namespace troupe::net
