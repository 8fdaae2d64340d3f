#include "actors/store/cron.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe::store {

namespace {

using namespace std::chrono;

/// A leap day is at most eight years away.
constexpr int max_days = 9 * 366;

failure wrong(std::string why) {
  return fail(std::errc::invalid_argument, std::move(why));
}

struct field_kind {
  std::string_view what;
  unsigned min, max;
  std::span<const std::string_view> names; ///< of `min`, `min` + 1, …
};

constexpr std::array<std::string_view, 12> month_names{
  "jan", "feb", "mar", "apr", "may", "jun",
  "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{
  "sun", "mon", "tue", "wed", "thu", "fri", "sat"};

constexpr field_kind kinds[]{{"minute", 0, 59, {}},
                             {"hour", 0, 23, {}},
                             {"day of month", 1, 31, {}},
                             {"month", 1, 12, month_names},
                             {"day of week", 0, 7, weekday_names}};

constexpr std::pair<std::string_view, std::string_view> nicknames[]{
  {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},
  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
  {"@monthly", "0 0 1 * *"},  {"@yearly", "0 0 1 1 *"},
  {"@annually", "0 0 1 1 *"}};

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y;
  });
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == text.npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

/// The words between blanks.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    at = text.find_first_not_of(" \t", at);
    if (at == text.npos)
      break;
    const auto end = std::min(text.find_first_of(" \t", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::optional<unsigned> number_in(std::string_view text) {
  unsigned value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || text.size() > 4)
    return std::nullopt;
  return value;
}

std::optional<unsigned> value_in(std::string_view text,
                                 const field_kind& kind) {
  for (std::size_t i = 0; i < kind.names.size(); ++i)
    if (same_word(text, kind.names[i]))
      return kind.min + static_cast<unsigned>(i);
  const auto value = number_in(text);
  if (!value || *value < kind.min || *value > kind.max)
    return std::nullopt;
  return value;
}

/// Reads `*`, `a`, `a-b`, each with or without `/step`, into `out`.
template <std::size_t N>
bool read_part(std::string_view part, const field_kind& kind,
               std::bitset<N>& out) {
  unsigned step = 1;
  const auto slash = part.find('/');
  if (slash != part.npos) {
    const auto given = number_in(part.substr(slash + 1));
    if (!given || *given == 0)
      return false;
    step = *given;
  }
  const auto range = part.substr(0, slash);
  std::optional<unsigned> from = kind.min, to = kind.max;
  if (range != "*") {
    const auto dash = range.find('-');
    from = value_in(range.substr(0, dash), kind);
    if (dash != range.npos)
      to = value_in(range.substr(dash + 1), kind);
    else if (slash == part.npos)
      to = from;
  }
  if (!from || !to || *from > *to)
    return false;
  for (auto value = *from; value <= *to; value += step)
    out.set(value);
  return true;
}

template <std::size_t N>
std::optional<failure> read_field(std::string_view text, const field_kind& kind,
                                  std::bitset<N>& out) {
  for (const auto part : split(text, ','))
    if (!read_part(part, kind, out))
      return wrong("\"" + std::string{part} + "\" is no "
                   + std::string{kind.what});
  return std::nullopt;
}

/// The tz library throws for what it does not know.
result<const date::time_zone*> find_zone(std::string_view name) {
  try {
    return date::locate_zone(name.empty() ? "Etc/UTC" : name);
  } catch (const std::runtime_error&) {
    return wrong("\"" + std::string{name} + "\" is no time zone known here");
  }
}

/// The instant of a local time; see `cron` for those that are none, or two.
date::sys_seconds instant_of(const date::time_zone& zone,
                             date::local_seconds local) {
  const auto about = zone.get_info(local);
  if (about.result == date::local_info::nonexistent)
    return about.first.end;
  return date::sys_seconds{local.time_since_epoch()} - about.first.offset;
}

} // namespace

result<cron> cron::parse(std::string_view expression, std::string_view zone) {
  auto fields = words_of(expression);
  if (fields.size() == 1)
    for (const auto& [name, meaning] : nicknames)
      if (same_word(fields.front(), name)) {
        fields = words_of(meaning);
        break;
      }
  if (fields.size() != 5)
    return wrong("a cron expression has five fields, or is @hourly, @daily, "
                 "@weekly, @monthly or @yearly");
  cron out;
  auto fault = read_field(fields[0], kinds[0], out.minutes_);
  if (!fault)
    fault = read_field(fields[1], kinds[1], out.hours_);
  if (!fault)
    fault = read_field(fields[2], kinds[2], out.days_);
  if (!fault)
    fault = read_field(fields[3], kinds[3], out.months_);
  if (!fault)
    fault = read_field(fields[4], kinds[4], out.weekdays_);
  if (fault)
    return std::move(*fault);
  if (out.weekdays_[7])
    out.weekdays_.set(0);
  out.any_day_ = fields[2].front() == '*';
  out.any_weekday_ = fields[4].front() == '*';
  const auto where = find_zone(zone);
  if (!where)
    return where.error();
  out.zone_ = *where;
  if (!out.next(0))
    return wrong("no year has such a date");
  return out;
}

bool cron::takes_day(int year, unsigned month, unsigned day) const {
  if (!months_[month])
    return false;
  const date::weekday weekday{date::sys_days{
    date::year{year} / static_cast<int>(month) / static_cast<int>(day)}};
  const bool by_day = days_[day];
  const bool by_weekday = weekdays_[weekday.c_encoding()];
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

/// Local times are tried in their order, from that of `after`: of two local
/// times, the later one never has the earlier instant.
std::optional<timestamp_ms> cron::next(timestamp_ms after) const {
  const date::sys_time<milliseconds> given{milliseconds{after}};
  const auto from = zone_->to_local(date::floor<seconds>(given));
  const auto first_day = date::floor<date::days>(from);
  for (auto day = first_day; day <= first_day + date::days{max_days};
       day += date::days{1}) {
    const date::year_month_day ymd{day};
    if (!takes_day(static_cast<int>(ymd.year()),
                   static_cast<unsigned>(ymd.month()),
                   static_cast<unsigned>(ymd.day())))
      continue;
    for (unsigned at = 0; at < 24 * 60; ++at) {
      const auto local = day + minutes{at};
      if (!hours_[at / 60] || !minutes_[at % 60] || local + minutes{1} <= from)
        continue;
      const auto instant = instant_of(*zone_, local);
      if (instant > given)
        return duration_cast<milliseconds>(instant.time_since_epoch()).count();
    }
  }
  return std::nullopt;
}

} // namespace troupe::store
