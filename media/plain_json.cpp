#include "media/plain_json.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace troupe::media {

namespace {

namespace json = boost::json;

void append(std::string& out, const json::value& value);

void append(std::string& out, const json::object& object) {
  out += '{';
  for (const auto& [name, value] : object) {
    if (out.back() != '{')
      out += ',';
    out += json::serialize(json::string_view{name});
    out += ':';
    append(out, value);
  }
  out += '}';
}

void append(std::string& out, const json::array& array) {
  out += '[';
  for (const auto& value : array) {
    if (&value != &array.front())
      out += ',';
    append(out, value);
  }
  out += ']';
}

void append(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object())
    append(out, *object);
  else if (const auto* array = value.if_array())
    append(out, *array);
  else if (const auto* number = value.if_double())
    append_plain(out, *number);
  else
    out += json::serialize(value);
}

} // namespace

void append_plain(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 48> text;
  auto* const end = text.data() + text.size();
  const auto size = std::abs(value);
  const bool odd = size != 0 && (size < 1e-6 || size >= 1e16);
  const auto done =
    odd ? std::to_chars(text.data(), end, value)
        : std::to_chars(text.data(), end, value, std::chars_format::fixed);
  out.append(text.data(), done.ptr);
}

std::string plain_json(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string plain_json(const json::object& value) {
  std::string out;
  append(out, value);
  return out;
}

} // namespace troupe::media
