#include "net/cli/params.hpp"

#include "net/cli/api.hpp"

#include <boost/json.hpp>

namespace troupe::cli {

namespace {

namespace json = boost::json;

failure bad(std::string detail) {
  return {make_error_code(std::errc::invalid_argument), std::move(detail)};
}

/// True if a value of this schema may be of that type.
bool takes(const json::value& schema, std::string_view type) {
  const auto& own = member_of(schema, "type");
  if (own.is_string())
    return own.get_string() == type;
  if (const auto* several = own.if_array())
    for (const auto& one : *several)
      if (one.is_string() && one.get_string() == type)
        return true;
  for (const auto* choice : {"anyOf", "oneOf"})
    if (const auto* choices = member_of(schema, choice).if_array())
      for (const auto& one : *choices)
        if (takes(one, type))
          return true;
  return false;
}

/// A schema that does not say takes anything.
bool says_nothing(const json::value& schema) {
  for (const auto* member : {"type", "anyOf", "oneOf", "enum", "const"})
    if (!member_of(schema, member).is_null())
      return false;
  return schema.is_object();
}

json::value typed(std::string_view text, const json::value& schema);

json::array list_of(std::string_view text, const json::value& items) {
  json::array out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    out.push_back(typed(text.substr(0, comma), items));
    text = comma == text.npos ? "" : text.substr(comma + 1);
  }
  return out;
}

json::value typed(std::string_view text, const json::value& schema) {
  json::error_code wrong;
  auto read = json::parse(text, wrong);
  if (!wrong) {
    const bool number =
      read.is_number() && (takes(schema, "integer") || takes(schema, "number"));
    const bool flag = read.is_bool() && takes(schema, "boolean");
    const bool nothing = read.is_null() && takes(schema, "null");
    const bool object = read.is_object() && takes(schema, "object");
    const bool list = read.is_array() && takes(schema, "array");
    if (number || flag || nothing || object || list || says_nothing(schema))
      return read;
  }
  if (takes(schema, "array"))
    return list_of(text, member_of(schema, "items"));
  return json::value(text);
}

bool is_name(std::string_view key) {
  return !key.empty()
         && key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_")
              == key.npos;
}

} // namespace

result<json::object> make_params(const std::vector<std::string>& written,
                                 const json::value& schema) {
  json::object out;
  for (const auto& one : written) {
    const auto equals = one.find('=');
    const bool raw = equals != one.npos && equals > 0 && one[equals - 1] == ':';
    const auto key = one.substr(0, raw ? equals - 1 : equals);
    if (equals == one.npos || !is_name(key))
      return bad("a parameter is written key=value, not " + one);
    const auto value = std::string_view{one}.substr(equals + 1);
    if (!raw) {
      out[key] = typed(value, member_of(member_of(schema, "properties"), key));
      continue;
    }
    json::error_code wrong;
    out[key] = json::parse(value, wrong);
    if (wrong)
      return bad("after " + key + ":= must stand JSON: " + wrong.message());
  }
  return out;
}

} // namespace troupe::cli
