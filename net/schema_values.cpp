#include "net/schema_values.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

namespace troupe::net {

namespace {

namespace dom = simdjson::dom;
namespace bj = boost::json;

/// More members that are not known need not be told of.
constexpr std::size_t max_unknown = 10'000;

const bj::value* member_of(const bj::object& schema, std::string_view name) {
  return schema.if_contains({name.data(), name.size()});
}

const bj::object* schema_in(const bj::object& schema, std::string_view name) {
  const auto* found = member_of(schema, name);
  return found ? found->if_object() : nullptr;
}

bool asks_nothing(const bj::object& schema) {
  constexpr std::string_view notes[] = {"title", "description", "default",
                                        "examples"};
  return std::ranges::all_of(schema, [&](const auto& each) {
    return std::ranges::find(notes, std::string_view{each.key()})
           != std::end(notes);
  });
}

/// False if the schema names types and this is none of them.
bool takes(const bj::object& schema, std::string_view kind) {
  const auto* type = member_of(schema, "type");
  if (!type)
    return true;
  const auto is_it = [kind](const bj::value& name) {
    return name.is_string() && std::string_view{name.get_string()} == kind;
  };
  return type->is_array() ? std::ranges::any_of(type->get_array(), is_it)
                          : is_it(*type);
}

/// To valijson only what is stored as one is an integer; to JSON Schema since
/// draft 6, and to us, 5.0 is.
bj::value number_for(double from, const bj::storage_ptr& to) {
  constexpr double exact = 0x1p53;
  if (std::abs(from) <= exact && from == std::floor(from))
    return bj::value(static_cast<std::int64_t>(from), to);
  return bj::value(from, to);
}

bj::value array_for(const bj::object& schema, dom::array from,
                    const bj::storage_ptr& to) {
  bj::array out(to);
  if (!takes(schema, "array"))
    return out;
  auto most = std::numeric_limits<std::size_t>::max();
  if (const auto* limit = member_of(schema, "maxItems"))
    most = limit->to_number<std::size_t>() + 1;
  const auto* items = schema_in(schema, "items");
  out.reserve(std::min(from.size(), most));
  for (const auto each : from) {
    if (out.size() == most)
      break;
    out.push_back(value_for(items, each, to));
  }
  return out;
}

bj::value object_for(const bj::object& schema, dom::object from,
                     const bj::storage_ptr& to) {
  bj::object out(to);
  if (!takes(schema, "object"))
    return out;
  const auto* known = schema_in(schema, "properties");
  const auto* others = schema_in(schema, "additionalProperties");
  std::size_t unknown = 0;
  for (const auto [name, value] : from) {
    const auto* one = known ? schema_in(*known, name) : nullptr;
    if (!one && !others && unknown++ == max_unknown)
      break;
    out.emplace(bj::string_view{name.data(), name.size()},
                value_for(one ? one : others, value, to));
  }
  return out;
}

} // namespace

bj::value value_for(const bj::object* schema, dom::element from,
                    const bj::storage_ptr& to) {
  if (!schema || asks_nothing(*schema))
    return bj::value(nullptr, to);
  switch (from.type()) {
  case dom::element_type::ARRAY:
    return array_for(*schema, dom::array{from}, to);
  case dom::element_type::OBJECT:
    return object_for(*schema, dom::object{from}, to);
  case dom::element_type::INT64:
    return bj::value(std::int64_t{from}, to);
  case dom::element_type::UINT64:
    return bj::value(std::uint64_t{from}, to);
  case dom::element_type::DOUBLE:
    return number_for(double{from}, to);
  case dom::element_type::BOOL:
    return bj::value(bool{from}, to);
  case dom::element_type::STRING: {
    const std::string_view text{from};
    return bj::value(bj::string_view{text.data(), text.size()}, to);
  }
  case dom::element_type::NULL_VALUE:
    break;
  }
  return bj::value(nullptr, to);
}

} // namespace troupe::net
