#pragma once

#include "config/result.hpp"
#include "media/errc.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Structs with `members` as JSON, there and back. Included by sources alone.
namespace troupe::media::as_json {

namespace json = boost::json;

template <class T>
concept is_number = std::integral<T> || std::floating_point<T>;

template <class T>
concept is_struct = requires(T& value) {
  members(value, [](auto, auto&) {});
};

// -- writing ------------------------------------------------------------------

inline json::value write(bool value) {
  return value;
}

inline json::value write(const std::string& value) {
  return json::value(value);
}

template <is_number T>
json::value write(T value) {
  return value;
}

template <class T>
requires std::is_enum_v<T> json::value write(T value) {
  return static_cast<std::uint64_t>(value);
}

template <is_struct T>
json::value write(const T& from);

template <class T>
json::value write(const std::vector<T>& from) {
  json::array all;
  all.reserve(from.size());
  for (const auto& each : from)
    all.push_back(write(each));
  return all;
}

template <is_struct T>
json::value write(const T& from) {
  json::object to;
  members(from, [&to](const char* name, const auto& member) {
    to[name] = write(member);
  });
  return to;
}

// -- reading; what is amiss throws, and `read_ours` catches it ---------------

inline void read(const json::value& from, bool& to) {
  if (!from.is_bool())
    throw std::invalid_argument{"no truth value"};
  to = from.get_bool();
}

inline void read(const json::value& from, std::string& to) {
  if (!from.is_string())
    throw std::invalid_argument{"no text"};
  to = std::string_view{from.get_string()};
}

template <is_number T>
void read(const json::value& from, T& to) {
  to = from.to_number<T>();
}

template <class T>
requires std::is_enum_v<T>
void read(const json::value& from, T& to) {
  to = static_cast<T>(from.to_number<std::uint8_t>());
}

template <is_struct T>
void read(const json::value& from, T& to);

template <class T>
void read(const json::value& from, std::vector<T>& to) {
  to.clear();
  for (const auto& each : from.as_array())
    read(each, to.emplace_back());
}

template <is_struct T>
void read(const json::value& from, T& to) {
  const auto& object = from.as_object();
  members(to, [&object](const char* name, auto& member) {
    read(object.at(name), member);
  });
}

template <class T>
result<T> read_ours(errc code, std::string_view text) {
  try {
    T made;
    read(json::parse(text), made);
    return made;
  } catch (const std::exception& wrong) {
    return fail(code, wrong.what());
  }
}

} // namespace troupe::media::as_json
