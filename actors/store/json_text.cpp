#include "actors/store/json_text.hpp"

#include "media/plain_json.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace troupe::json {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Bytes of the well-formed UTF-8 sequence at the head of `text`, 0 if there
/// is none (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const auto follows = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned b = byte(0);
  if (b >= 0xC2 && b <= 0xDF)
    return follows(1, 0x80, 0xBF) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    const unsigned low = b == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = b == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    const unsigned low = b == 0xF0 ? 0x90 : 0x80;
    const unsigned high = b == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF)
               && follows(3, 0x80, 0xBF)
             ? 4
             : 0;
  }
  return 0;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\t':
    out += "\\t";
    return;
  case '\r':
    out += "\\r";
    return;
  default:
    out += "\\u00";
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
}

constexpr auto plain_bytes = [] {
  std::array<bool, 256> plain{};
  for (unsigned c = 0x20; c < 0x80; ++c)
    plain[c] = c != '"' && c != '\\' && c != 0x7F;
  return plain;
}();

template <class T>
void append_chars(std::string& out, T value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), end.ptr);
}

void append_padded(std::string& out, unsigned value, int digits) {
  std::array<char, 4> text;
  for (int i = digits; i-- > 0; value /= 10)
    text[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  out.append(text.data(), static_cast<std::size_t>(digits));
}

} // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (plain_bytes[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    out.append(text, from, at - from);
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      append_escape(out, text[at++]);
    } else if (const auto n = sequence_length(text.substr(at)); n > 0) {
      out.append(text, at, n);
      at += n;
    } else {
      out += replacement;
      ++at;
    }
    from = at;
  }
  out.append(text, from);
  out += '"';
}

/// As people write it, `30` and not `3e+01`, unless it is very long so.
void append_number(std::string& out, double value) {
  media::append_plain(out, value);
}

void append_number(std::string& out, std::int64_t value) {
  append_chars(out, value);
}

void append_number(std::string& out, std::uint64_t value) {
  append_chars(out, value);
}

void append_time(std::string& out, timestamp_ms time) {
  namespace chrono = std::chrono;
  if (time == 0) {
    out += "null";
    return;
  }
  const chrono::sys_time<chrono::milliseconds> when{chrono::milliseconds{time}};
  const auto day = chrono::floor<chrono::days>(when);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{when - day};
  const auto two = [&out](char before, auto value) {
    out += before;
    append_padded(out, static_cast<unsigned>(value), 2);
  };
  out += '"';
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  two('-', static_cast<unsigned>(date.month()));
  two('-', static_cast<unsigned>(date.day()));
  two('T', clock.hours().count());
  two(':', clock.minutes().count());
  two(':', clock.seconds().count());
  out += '.';
  append_padded(out, static_cast<unsigned>(clock.subseconds().count()), 3);
  out += "Z\"";
}

void append_optional(std::string& out, std::string_view text) {
  if (text.empty())
    out += "null";
  else
    append_string(out, text);
}

} // namespace troupe::json
