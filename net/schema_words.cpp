#include "net/schema_words.hpp"

#include "actors/store/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace troupe::net {

namespace {

namespace bj = boost::json;

/// A member of the schema as words; empty if it has none such.
std::string said(const bj::object& schema, std::string_view name) {
  const auto* value = schema.if_contains({name.data(), name.size()});
  std::string out;
  if (!value)
    return out;
  if (value->is_string())
    out = std::string{value->get_string()};
  else if (value->is_number())
    json::append_number(out, value->to_number<double>());
  return out;
}

std::string list_of(const bj::array& values, std::string_view before_last) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0)
      out += i + 1 < values.size() ? ", " : before_last;
    out += values[i].is_string() ? std::string{values[i].get_string()}
                                 : bj::serialize(values[i]);
  }
  return out;
}

/// "a string", as `type` calls it.
std::string article(const std::string& type) {
  if (type == "null")
    return type;
  const bool vowel = type.find_first_of("aeiou") == 0;
  return (vowel ? "an " : "a ") + type;
}

std::string of_type(const bj::object& schema) {
  const auto* type = schema.if_contains("type");
  if (!type)
    return "is not of the right type";
  if (type->is_string())
    return "must be " + article(std::string{type->get_string()});
  bj::array names;
  for (const auto& each : type->as_array())
    names.emplace_back(article(std::string{each.as_string()}));
  return "must be " + list_of(names, " or ");
}

std::string of_values(const bj::object& schema) {
  const auto* values = schema.if_contains("enum");
  return values ? "must be " + list_of(values->as_array(), " or ")
                : "is not the value that is taken";
}

std::string of_form(const bj::object& schema) {
  if (const auto about = said(schema, "description"); !about.empty())
    return "does not have the right form: " + about;
  return "must match " + said(schema, "pattern");
}

/// "must be from 1 to 9", of what stands under these names.
std::string of_range(const bj::object& schema, std::string_view least,
                     std::string_view most, std::string_view verb,
                     std::string_view unit) {
  const auto low = said(schema, least);
  const auto high = said(schema, most);
  std::string out{verb};
  if (!low.empty() && !high.empty())
    out += verb == "must be" ? " from " + low + " to " + high
                             : ' ' + low + " to " + high;
  else if (!low.empty())
    out += " at least " + low;
  else
    out += " at most " + high;
  return out.append(unit);
}

std::string of_size(const bj::object& schema) {
  auto above = said(schema, "exclusiveMinimum");
  const auto most = said(schema, "maximum");
  if (above.empty())
    return of_range(schema, "minimum", "maximum", "must be", "");
  return "must be more than " + above
         + (most.empty() ? "" : ", and at most " + most);
}

std::string of_count(const bj::object& schema) {
  return of_range(schema, "minItems", "maxItems", "must have", " entries");
}

std::string of_length(const bj::object& schema) {
  return of_range(schema, "minLength", "maxLength", "must have", " characters");
}

std::string of_members(const bj::object& schema) {
  return of_range(schema, "minProperties", "maxProperties", "must have",
                  " members");
}

struct rule {
  std::string_view complaint; ///< how it begins
  std::string (*words)(const bj::object& schema);
};

constexpr std::array rules{
  rule{"Value type not permitted", of_type},
  rule{"Failed to match against any enum", of_values},
  rule{"Failed to match expected value", of_values},
  rule{"Failed to match regex", of_form},
  rule{"Expected number", of_size},
  rule{"Array should contain", of_count},
  rule{"String should be no", of_length},
  rule{"Object should have", of_members},
};

} // namespace

const bj::object* schema_at(const bj::value& document,
                            std::span<const std::string> place) {
  const auto* here = document.if_object();
  for (const std::string_view part :
       place.subspan(std::min<std::size_t>(1, place.size()))) {
    if (!here)
      return nullptr;
    const auto name = part.substr(1, part.size() - 2);
    const bj::value* next = here->if_contains("items");
    if (const auto* members = here->if_contains("properties"))
      next = members->as_object().if_contains({name.data(), name.size()});
    here = next ? next->if_object() : nullptr;
  }
  return here;
}

std::string words_for(std::string_view complaint, const bj::object* schema) {
  for (const auto& [begin, words] : rules)
    if (schema && complaint.starts_with(begin))
      return words(*schema);
  return "is not valid: " + std::string{complaint};
}

bool is_about_type(std::string_view complaint) noexcept {
  return complaint.starts_with(rules.front().complaint);
}

} // namespace troupe::net
