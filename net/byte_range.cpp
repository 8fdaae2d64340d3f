#include "net/byte_range.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace troupe::net {

namespace {

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == text.npos)
    return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/// Digits only; a number too large for us is larger than any file.
bool read_number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] =
    std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc::result_out_of_range)
    out = std::numeric_limits<std::uint64_t>::max();
  else if (error != std::errc{})
    return false;
  return end == text.data() + text.size();
}

range_verdict suffix(std::uint64_t length, std::uint64_t size,
                     byte_range& out) {
  if (length == 0 || size == 0)
    return range_verdict::unsatisfiable;
  out.length = std::min(length, size);
  out.offset = size - out.length;
  return range_verdict::part;
}

/// One element of the list.
range_verdict read_one(std::string_view spec, std::uint64_t size,
                       byte_range& out) {
  const auto dash = spec.find('-');
  if (dash == spec.npos)
    return range_verdict::whole;
  const auto first = spec.substr(0, dash);
  const auto last = spec.substr(dash + 1);
  std::uint64_t from = 0;
  std::uint64_t to = size;
  if (first.empty())
    return read_number(last, to) ? suffix(to, size, out) : range_verdict::whole;
  if (!read_number(first, from) || (!last.empty() && !read_number(last, to))
      || (!last.empty() && to < from))
    return range_verdict::whole;
  if (from >= size)
    return range_verdict::unsatisfiable;
  out.offset = from;
  out.length = std::min(to, size - 1) - from + 1;
  return range_verdict::part;
}

} // namespace

range_verdict read_ranges(std::string_view field, std::uint64_t size,
                          std::vector<byte_range>& out) {
  constexpr std::string_view unit = "bytes=";
  out.clear();
  // Units are case-insensitive (RFC 9110, 14.1).
  if (config::lower(field.substr(0, unit.size())) != unit)
    return range_verdict::whole;
  field.remove_prefix(unit.size());
  std::size_t seen = 0;
  std::uint64_t bytes = 0;
  while (!field.empty()) {
    const auto spec = trim(field.substr(0, field.find(',')));
    field.remove_prefix(std::min(field.find(','), field.size() - 1) + 1);
    if (spec.empty()) // a list may have such elements (RFC 9110, 5.6.1)
      continue;
    byte_range one;
    const auto verdict = read_one(spec, size, one);
    if (verdict == range_verdict::whole || ++seen > most_ranges
        || (verdict == range_verdict::part && one.length > size - bytes)) {
      out.clear();
      return range_verdict::whole;
    }
    if (verdict == range_verdict::part) {
      bytes += one.length;
      out.push_back(one);
    }
  }
  if (out.empty())
    return seen == 0 ? range_verdict::whole : range_verdict::unsatisfiable;
  return range_verdict::part;
}

} // namespace troupe::net
