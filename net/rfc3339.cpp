#include "net/rfc3339.hpp"

#include <chrono>

namespace troupe::net {

namespace {

using namespace std::chrono;

/// Eats text from its front; one wrong step spoils all that follow.
class eater {
public:
  explicit eater(std::string_view text) : rest_{text} {}

  int digits(std::size_t count) {
    int out = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = next();
      good_ = good_ && c >= '0' && c <= '9';
      out = good_ ? out * 10 + (c - '0') : 0;
    }
    return out;
  }

  void one_of(std::string_view allowed) {
    good_ = good_ && allowed.find(next()) != std::string_view::npos;
  }

  [[nodiscard]] char peek() const {
    return rest_.empty() ? '\0' : rest_.front();
  }

  char next() {
    const char c = peek();
    good_ = good_ && !rest_.empty();
    if (!rest_.empty())
      rest_.remove_prefix(1);
    return c;
  }

  [[nodiscard]] bool good() const {
    return good_;
  }
  [[nodiscard]] bool ended() const {
    return good_ && rest_.empty();
  }

private:
  std::string_view rest_;
  bool good_ = true;
};

sys_days read_date(eater& in, bool& valid) {
  const year y{in.digits(4)};
  in.one_of("-");
  const month m{static_cast<unsigned>(in.digits(2))};
  in.one_of("-");
  const day d{static_cast<unsigned>(in.digits(2))};
  const year_month_day date{y, m, d};
  valid = in.good() && date.ok() && y >= year{1970};
  return valid ? sys_days{date} : sys_days{};
}

milliseconds read_time(eater& in, bool& valid) {
  const int h = in.digits(2);
  in.one_of(":");
  const int m = in.digits(2);
  in.one_of(":");
  const int s = in.digits(2);
  milliseconds out = hours{h} + minutes{m} + seconds{s};
  if (in.peek() == '.') {
    in.next();
    int worth = 100;
    do {
      out += milliseconds{in.digits(1) * worth};
      worth /= 10;
    } while (in.good() && in.peek() >= '0' && in.peek() <= '9');
  }
  valid = in.good() && h < 24 && m < 60 && s < 60;
  return out;
}

minutes read_zone(eater& in, bool& valid) {
  const char sign = in.next();
  if (sign == 'Z' || sign == 'z') {
    valid = in.ended();
    return {};
  }
  const int h = in.digits(2);
  in.one_of(":");
  const int m = in.digits(2);
  valid = in.ended() && (sign == '+' || sign == '-') && h < 24 && m < 60;
  const auto ahead = hours{h} + minutes{m};
  return sign == '-' ? -ahead : ahead;
}

} // namespace

std::optional<timestamp_ms> parse_rfc3339(std::string_view text) {
  eater in{text};
  bool date_valid = false;
  bool time_valid = false;
  bool zone_valid = false;
  const auto date = read_date(in, date_valid);
  in.one_of("Tt ");
  const auto time = read_time(in, time_valid);
  const auto ahead = read_zone(in, zone_valid);
  if (!date_valid || !time_valid || !zone_valid)
    return std::nullopt;
  const auto at = date.time_since_epoch() + time - ahead;
  return duration_cast<milliseconds>(at).count();
}

} // namespace troupe::net
