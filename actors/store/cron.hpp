#pragma once

#include "config/result.hpp"

#include <bitset>
#include <optional>
#include <string_view>

namespace date {
class time_zone;
}

namespace troupe::store {

/// When a recurring job is due: a cron expression (five fields as crontab(5)
/// has them, or `@hourly @daily @midnight @weekly @monthly @yearly
/// @annually`), read in the local time of a zone of the system's tzdata.
///
/// A local time that does not exist fires at the next instant that does, one
/// that occurs twice fires at its first occurrence only. Beyond 2037 zones keep
/// the offset that they have then.
class cron {
public:
  /// Fields are `*`, numbers, names (`jan`…, `sun`…), ranges, steps and lists;
  /// both 0 and 7 are Sunday. As in crontab(5), a day that either of the two
  /// day fields names will do if neither begins with `*`.
  /// @param zone such as `Europe/Berlin`; empty: UTC
  /// @returns `std::errc::invalid_argument` with what is wrong; also for dates
  /// that no year has.
  [[nodiscard]] static result<cron> parse(std::string_view expression,
                                          std::string_view zone);

  /// The first instant later than `after`; nothing only where the calendar
  /// ends. Whole minutes, but for the end of a gap that lies between them.
  [[nodiscard]] std::optional<timestamp_ms> next(timestamp_ms after) const;

private:
  cron() = default;
  [[nodiscard]] bool takes_day(int year, unsigned month, unsigned day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;  ///< 0…6
  bool any_day_ = false;     ///< the day of month begins with `*`
  bool any_weekday_ = false; ///< the day of week begins with `*`
  const date::time_zone* zone_ = nullptr;
};

} // namespace troupe::store
