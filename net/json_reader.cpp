#include "net/json_reader.hpp"

#include "actors/store/json_text.hpp"
#include "net/json_limits.hpp"
#include "net/query.hpp"

#include <algorithm>
#include <cmath>
#include <new>

namespace troupe::net {

namespace {

namespace dom = simdjson::dom;

/// The parser keeps about ten times its capacity in memory; what one large
/// document took is given back with the next small one.
constexpr std::size_t small = 4096;
constexpr std::size_t large = 65536;

template <class T>
std::string say(T value) {
  std::string out;
  json::append_number(out, value);
  return out;
}

/// Why a text is not taken; empty if it is.
std::string text_fault(std::string_view text, std::size_t max_bytes) {
  if (text.empty())
    return "must not be empty";
  if (text.size() > max_bytes)
    return "must have at most " + say(max_bytes) + " bytes";
  if (has_control(text))
    return "must not hold control characters";
  return {};
}

/// A whole number, however it is written; nothing if it has over 64 bits.
std::optional<std::int64_t> integer_in(dom::element from, double about) {
  std::int64_t exact = 0;
  if (!from.get(exact))
    return exact;
  if (about < -0x1p63 || about >= 0x1p63)
    return std::nullopt;
  return static_cast<std::int64_t>(about);
}

/// Names that stand more than once, each once.
std::vector<std::string_view> repeated(std::vector<std::string_view> names) {
  std::ranges::sort(names);
  std::vector<std::string_view> out;
  for (std::size_t i = 1; i < names.size(); ++i)
    if (names[i] == names[i - 1] && (out.empty() || out.back() != names[i]))
      out.push_back(names[i]);
  return out;
}

} // namespace

void field_errors::add(std::string pointer, std::string detail,
                       std::string code) {
  if (full() || !places_.insert(pointer).second)
    return;
  bytes_ += pointer.size();
  errors_.push_back({std::move(pointer), std::move(detail), std::move(code)});
}

std::string json_place::pointer() const {
  if (!around)
    return std::string{name};
  const auto outer = around->pointer();
  return is_entry ? outer + '/' + say(index) : pointer_to(outer, name);
}

json_parser::json_parser() {
  make_room(small);
}

void json_parser::make_room(std::size_t bytes) {
  if (parser_.allocate(bytes, max_depth))
    throw std::bad_alloc{};
}

std::optional<problem> json_parser::parse(std::string_view text,
                                          dom::element& out) {
  if (text.size() > parser_.capacity()
      || (text.size() < small && parser_.capacity() > large))
    make_room(std::max(text.size(), small));
  const auto error = parser_.parse(text.data(), text.size()).get(out);
  if (!error)
    return std::nullopt;
  if (error == simdjson::NUMBER_ERROR || error == simdjson::DEPTH_ERROR)
    if (auto beyond = find_beyond_limits(text))
      return beyond;
  return problem{problem_code::invalid_json, simdjson::error_message(error)};
}

object_reader::object_reader(dom::object object, std::string pointer,
                             field_errors& errors)
  : pointer_{std::move(pointer)}, errors_{errors} {
  members_.reserve(object.size());
  for (const auto [name, value] : object)
    members_.push_back({name, value});
  note_duplicates();
}

void object_reader::note_duplicates() {
  std::vector<std::string_view> names;
  names.reserve(members_.size());
  for (const auto& each : members_)
    names.push_back(each.name);
  for (const auto name : repeated(std::move(names)))
    wrong(name, "stands more than once");
}

std::optional<dom::element> object_reader::value(std::string_view name) {
  std::optional<dom::element> out;
  for (auto& each : members_) {
    if (each.name != name)
      continue;
    each.asked = true;
    if (!each.value.is_null())
      out = each.value;
  }
  return out;
}

std::optional<dom::element> object_reader::require(std::string_view name) {
  auto out = value(name);
  if (!out)
    wrong(name, "is required");
  return out;
}

bool object_reader::text(std::string_view name, std::string& out,
                         std::size_t max_bytes) {
  const auto found = value(name);
  if (!found)
    return false;
  std::string_view text;
  if (found->get(text)) {
    wrong(name, "must be a string");
    return false;
  }
  if (auto fault = text_fault(text, max_bytes); !fault.empty()) {
    wrong(name, std::move(fault));
    return false;
  }
  out = text;
  return true;
}

bool object_reader::number(std::string_view name, double& out, double min,
                           double max) {
  const auto found = value(name);
  if (!found)
    return false;
  double read = 0;
  if (found->get(read)) {
    wrong(name, "must be a number");
    return false;
  }
  if (!(read >= min && read <= max)) {
    wrong(name, "must be from " + say(min) + " to " + say(max));
    return false;
  }
  out = read;
  return true;
}

bool object_reader::integer(std::string_view name, std::int64_t& out,
                            std::int64_t min, std::int64_t max) {
  const auto found = value(name);
  if (!found)
    return false;
  double about = 0;
  if (found->get(about) || about != std::floor(about)) {
    wrong(name, "must be an integer");
    return false;
  }
  const auto read = integer_in(*found, about);
  if (!read || *read < min || *read > max) {
    wrong(name, "must be from " + say(min) + " to " + say(max));
    return false;
  }
  out = *read;
  return true;
}

bool object_reader::boolean(std::string_view name, bool& out) {
  const auto found = value(name);
  if (!found)
    return false;
  if (found->get(out)) {
    wrong(name, "must be true or false");
    return false;
  }
  return true;
}

bool object_reader::texts(std::string_view name, std::vector<std::string>& out,
                          std::size_t max_count, std::size_t max_bytes) {
  const auto found = value(name);
  if (!found)
    return false;
  dom::array array;
  if (found->get(array)) {
    wrong(name, "must be an array of strings");
    return false;
  }
  if (array.size() > max_count) {
    wrong(name, "must have at most " + say(max_count) + " entries");
    return false;
  }
  std::vector<std::string> read;
  bool good = true;
  for (const auto each : array) {
    const auto at = pointer(name) + '/' + say(read.size());
    std::string_view text;
    auto fault = each.get(text) ? std::string{"must be a string"}
                                : text_fault(text, max_bytes);
    good = good && fault.empty();
    if (!fault.empty())
      errors_.add(at, std::move(fault));
    read.emplace_back(text);
  }
  if (good)
    out = std::move(read);
  return good;
}

bool object_reader::has(std::string_view name) const noexcept {
  return std::ranges::find(members_, name, &member::name) != members_.end();
}

std::optional<dom::object> object_reader::object(std::string_view name) {
  const auto found = value(name);
  dom::object out;
  if (!found)
    return std::nullopt;
  if (found->get(out)) {
    wrong(name, "must be an object");
    return std::nullopt;
  }
  return out;
}

void object_reader::wrong(std::string_view name, std::string detail,
                          std::string code) {
  errors_.add(pointer(name), std::move(detail), std::move(code));
}

std::string object_reader::pointer(std::string_view name) const {
  return pointer_to(pointer_, name);
}

void object_reader::finish() {
  for (const auto& each : members_)
    if (!each.asked)
      wrong(each.name, "is not known here");
}

namespace {

void note_duplicates(dom::element value, const json_place& at,
                     field_errors& errors) {
  if (errors.full())
    return;
  if (dom::array array; !value.get(array)) {
    std::size_t index = 0;
    for (const auto each : array) {
      if (each.is_object() || each.is_array())
        note_duplicates(each, at.entry(index), errors);
      ++index;
    }
  }
  dom::object object;
  if (value.get(object))
    return;
  std::vector<std::string_view> names;
  for (const auto [name, member] : object) {
    names.push_back(name);
    if (member.is_object() || member.is_array())
      note_duplicates(member, at.member(name), errors);
  }
  for (const auto name : repeated(std::move(names)))
    if (!errors.full())
      errors.add(at.member(name).pointer(), "stands more than once");
}

} // namespace

void note_duplicates(dom::element value, const std::string& pointer,
                     field_errors& errors) {
  note_duplicates(value, json_place{nullptr, pointer}, errors);
}

} // namespace troupe::net
