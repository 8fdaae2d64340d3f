#include "actors/store/cron.hpp"

#include <date/date.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace troupe::store {
namespace {

/// `2026-03-29T01:00:00Z`
timestamp_ms at(const std::string& text) {
  std::istringstream in{text};
  date::sys_time<std::chrono::milliseconds> out;
  in >> date::parse("%FT%TZ", out);
  EXPECT_FALSE(in.fail()) << text;
  return out.time_since_epoch().count();
}

std::string told(timestamp_ms when) {
  const std::chrono::milliseconds since{when};
  return date::format("%FT%TZ",
                      date::floor<std::chrono::seconds>(
                        date::sys_time<std::chrono::milliseconds>{since}));
}

cron parsed(std::string_view expression, std::string_view zone = "") {
  auto read = cron::parse(expression, zone);
  EXPECT_TRUE(read) << expression << ": " << read.error().message();
  return read.value();
}

/// The next `count` instants.
std::vector<std::string> run(const cron& when, const std::string& from,
                             std::size_t count) {
  std::vector<std::string> out;
  auto now = at(from);
  while (out.size() < count) {
    const auto next = when.next(now);
    if (!next)
      break;
    out.push_back(told(*next));
    now = *next;
  }
  return out;
}

using times = std::vector<std::string>;

TEST(Cron, FiresStrictlyLaterThanAsked) {
  const auto hourly = parsed("@hourly");

  EXPECT_EQ(told(*hourly.next(at("2026-01-01T10:00:00Z"))),
            "2026-01-01T11:00:00Z");
  EXPECT_EQ(told(*hourly.next(at("2026-01-01T10:00:00Z") - 1)),
            "2026-01-01T10:00:00Z");
  EXPECT_EQ(told(*hourly.next(at("2026-01-01T10:00:00Z") + 1)),
            "2026-01-01T11:00:00Z");
}

TEST(Cron, ReadsListsRangesStepsAndNames) {
  EXPECT_EQ(run(parsed("0,30 8-10/2 * * *"), "2026-01-01T00:00:00Z", 5),
            (times{"2026-01-01T08:00:00Z", "2026-01-01T08:30:00Z",
                   "2026-01-01T10:00:00Z", "2026-01-01T10:30:00Z",
                   "2026-01-02T08:00:00Z"}));
  EXPECT_EQ(run(parsed("50/4 23 * * *"), "2026-01-01T00:00:00Z", 4),
            (times{"2026-01-01T23:50:00Z", "2026-01-01T23:54:00Z",
                   "2026-01-01T23:58:00Z", "2026-01-02T23:50:00Z"}));
  EXPECT_EQ(run(parsed("0 12 * JAN,Mar mon-TUE"), "2026-01-24T00:00:00Z", 4),
            (times{"2026-01-26T12:00:00Z", "2026-01-27T12:00:00Z",
                   "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z"}));
  EXPECT_EQ(run(parsed("*/25 * * * *"), "2026-01-01T00:00:00Z", 3),
            (times{"2026-01-01T00:25:00Z", "2026-01-01T00:50:00Z",
                   "2026-01-01T01:00:00Z"}));
  EXPECT_EQ(run(parsed("0 */6 * * *"), "2026-01-01T05:00:00Z", 3),
            (times{"2026-01-01T06:00:00Z", "2026-01-01T12:00:00Z",
                   "2026-01-01T18:00:00Z"}));
}

TEST(Cron, KnowsTheNicknames) {
  EXPECT_EQ(run(parsed("@daily"), "2026-01-01T05:00:00Z", 1),
            times{"2026-01-02T00:00:00Z"});
  EXPECT_EQ(run(parsed("@midnight"), "2026-01-01T05:00:00Z", 1),
            times{"2026-01-02T00:00:00Z"});
  EXPECT_EQ(run(parsed("@weekly"), "2026-01-01T05:00:00Z", 1),
            times{"2026-01-04T00:00:00Z"});
  EXPECT_EQ(run(parsed("@monthly"), "2026-01-01T05:00:00Z", 1),
            times{"2026-02-01T00:00:00Z"});
  EXPECT_EQ(run(parsed("@yearly"), "2026-01-01T05:00:00Z", 1),
            times{"2027-01-01T00:00:00Z"});
  EXPECT_EQ(run(parsed(" @Annually "), "2026-01-01T05:00:00Z", 1),
            times{"2027-01-01T00:00:00Z"});
}

TEST(Cron, TakesBothZeroAndSevenForSunday) {
  const times sundays{"2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"};

  EXPECT_EQ(run(parsed("0 0 * * 0"), "2026-01-01T00:00:00Z", 2), sundays);
  EXPECT_EQ(run(parsed("0 0 * * 7"), "2026-01-01T00:00:00Z", 2), sundays);
  EXPECT_EQ(run(parsed("0 0 * * 6-7"), "2026-01-01T00:00:00Z", 2),
            (times{"2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"}));
}

TEST(Cron, TakesEitherDayFieldWhenBothAreGiven) {
  EXPECT_EQ(run(parsed("0 0 13 * 5"), "2026-02-01T00:00:00Z", 5),
            (times{"2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z",
                   "2026-02-20T00:00:00Z", "2026-02-27T00:00:00Z",
                   "2026-03-06T00:00:00Z"}));
  // A step over everything is no restriction: both must hold.
  EXPECT_EQ(run(parsed("0 0 */2 * 1"), "2026-02-01T00:00:00Z", 2),
            (times{"2026-02-09T00:00:00Z", "2026-02-23T00:00:00Z"}));
}

TEST(Cron, WaitsForALeapDay) {
  EXPECT_EQ(run(parsed("0 0 29 2 *"), "2026-01-01T00:00:00Z", 2),
            (times{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}));
  EXPECT_EQ(run(parsed("0 0 29 2 *"), "2096-03-01T00:00:00Z", 1),
            times{"2104-02-29T00:00:00Z"});
  EXPECT_EQ(run(parsed("0 0 31 * *"), "2026-01-31T00:00:00Z", 2),
            (times{"2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"}));
}

TEST(Cron, RefusesWhatNoYearHas) {
  for (const auto* text : {"0 0 30 2 *", "0 0 31 4,6,9,11 *"})
    EXPECT_FALSE(cron::parse(text, "")) << text;
  // A weekday would do instead.
  EXPECT_TRUE(cron::parse("0 0 30 2 1", ""));
}

TEST(Cron, RefusesWhatIsNoExpression) {
  for (const auto* text : {"",
                           " ",
                           "* * * *",
                           "* * * * * *",
                           "60 * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * 32 * *",
                           "* * * 0 *",
                           "* * * 13 *",
                           "* * * * 8",
                           "5-1 * * * *",
                           "*/0 * * * *",
                           "1, * * * *",
                           ",1 * * * *",
                           "a * * * *",
                           "-1 * * * *",
                           "1- * * * *",
                           "1/ * * * *",
                           "*/ * * * *",
                           "1-2-3 * * * *",
                           "1/2/3 * * * *",
                           "** * * * *",
                           "jan * * * *",
                           "* * * monday *",
                           "@reboot",
                           "@",
                           "1.5 * * * *",
                           "99999999999 * * * *",
                           "+1 * * * *"}) {
    const auto read = cron::parse(text, "");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code,
              std::make_error_code(std::errc::invalid_argument));
    EXPECT_FALSE(read.error().detail.empty());
  }
}

TEST(Cron, RefusesAZoneThatIsNotKnown) {
  for (const auto* zone : {"Europe/Atlantis", "../etc/passwd", "CEST+1", " "})
    EXPECT_FALSE(cron::parse("@daily", zone)) << zone;
  for (const auto* zone : {"", "UTC", "Europe/Berlin", "Asia/Kolkata"})
    EXPECT_TRUE(cron::parse("@daily", zone)) << zone;
}

TEST(Cron, FiresAtTheEndOfAGapForTimesWithin) {
  // 02:00 to 03:00 does not exist on 2026-03-29 in Berlin.
  EXPECT_EQ(
    run(parsed("30 2 * * *", "Europe/Berlin"), "2026-03-28T00:00:00Z", 3),
    (times{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z",
           "2026-03-30T00:30:00Z"}));
  // 02:00 to 03:00 does not exist on 2026-03-08 in New York.
  EXPECT_EQ(
    run(parsed("15 2 * * *", "America/New_York"), "2026-03-07T12:00:00Z", 2),
    (times{"2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z"}));
}

TEST(Cron, FiresOnceForAllTimesOfOneGap) {
  EXPECT_EQ(
    run(parsed("*/30 * * * *", "Europe/Berlin"), "2026-03-29T00:10:00Z", 4),
    (times{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z",
           "2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z"}));
}

TEST(Cron, FiresOnceForATimeThatOccursTwice) {
  // 02:00 to 03:00 occurs twice on 2026-10-25 in Berlin.
  EXPECT_EQ(
    run(parsed("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00:00Z", 2),
    (times{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
  // 01:00 to 02:00 occurs twice on 2026-11-01 in New York.
  EXPECT_EQ(
    run(parsed("0 1 * * *", "America/New_York"), "2026-10-31T12:00:00Z", 2),
    (times{"2026-11-01T05:00:00Z", "2026-11-02T06:00:00Z"}));
}

TEST(Cron, GoesOnFromTheSecondOccurrenceOfATime) {
  const auto daily = parsed("30 2 * * *", "Europe/Berlin");

  EXPECT_EQ(told(*daily.next(at("2026-10-25T01:10:00Z"))),
            "2026-10-26T01:30:00Z");
}

TEST(Cron, FollowsTheLocalDayOfAFarZone) {
  EXPECT_EQ(run(parsed("0 0 1 * *", "Asia/Kolkata"), "2026-01-15T00:00:00Z", 2),
            (times{"2026-01-31T18:30:00Z", "2026-02-28T18:30:00Z"}));
  // Samoa left out the whole of 2011-12-30.
  EXPECT_EQ(
    run(parsed("0 12 * * *", "Pacific/Apia"), "2011-12-29T12:00:00Z", 3),
    (times{"2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z",
           "2011-12-30T22:00:00Z"}));
}

TEST(Cron, NeverGoesBackAcrossYearsOfChanges) {
  const auto often = parsed("*/7 * * * *", "America/New_York");
  auto now = at("2026-03-07T00:00:00Z");
  const auto end = at("2026-03-10T00:00:00Z");

  while (now < end) {
    const auto next = often.next(now);
    ASSERT_TRUE(next);
    ASSERT_GT(*next, now);
    ASSERT_LE(*next - now, 7 * 60 * 1000);
    now = *next;
  }
}

} // namespace
} // namespace troupe::store
