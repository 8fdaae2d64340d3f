#include "actors/alert_book.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;

config::alert_settings rules() {
  config::alert_settings all;
  all.disk_low = "0.05 0.08 10";
  all.queue_age = "600 60 30";
  all.memory_low = "";
  all.store_away = "1 0 0";
  return all;
}

class AlertBook : public ::testing::Test {
protected:
  /// So many seconds later. @return "raised ID" or "cleared ID", if anything
  std::string look(std::chrono::seconds later,
                   std::vector<alert_reading> readings) {
    time_ += later;
    std::string said;
    for (const auto& [raised, about] : book.judge(readings, time_, 1))
      said += (raised ? "raised " : "cleared ") + about.id;
    return said;
  }

  std::string disk(std::chrono::seconds later, double share) {
    return look(later, {{alert_kind::disk_low, "library", share}});
  }

  alert_book book{rules(), "n1"};

private:
  alert_book::clock::time_point time_{1h};
};

TEST_F(AlertBook, IsRaisedAfterAFigureStoodThereAndClearedLikewise) {
  EXPECT_EQ(disk(2s, 0.04), "");
  EXPECT_EQ(disk(9s, 0.04), "");
  EXPECT_TRUE(book.raised().empty());
  EXPECT_EQ(disk(2s, 0.03), "raised disk_low:library");

  const auto raised = book.raised();
  ASSERT_EQ(raised.size(), 1u);
  EXPECT_EQ(raised[0].node, "n1");
  EXPECT_DOUBLE_EQ(raised[0].value, 0.03);
  EXPECT_DOUBLE_EQ(raised[0].raised_at, 0.05);

  EXPECT_EQ(disk(60s, 0.07), "") << "between the thresholds";
  EXPECT_EQ(disk(2s, 0.09), "");
  EXPECT_EQ(disk(11s, 0.09), "cleared disk_low:library");
  EXPECT_TRUE(book.raised().empty());
}

TEST_F(AlertBook, CountsAnewAfterAFigureWasGood) {
  EXPECT_EQ(disk(2s, 0.04), "");
  EXPECT_EQ(disk(8s, 0.06), "");
  EXPECT_EQ(disk(8s, 0.04), "");
  EXPECT_EQ(disk(9s, 0.04), "");
  EXPECT_EQ(disk(2s, 0.04), "raised disk_low:library");
}

TEST_F(AlertBook, TellsHighFiguresFromLowOnes) {
  const auto age = [](double s) {
    return std::vector<alert_reading>{{alert_kind::queue_age, "bulk", s}};
  };
  EXPECT_EQ(look(1s, age(700)), "");
  EXPECT_EQ(look(31s, age(700)), "raised queue_age:bulk");
  EXPECT_EQ(look(99s, age(300)), "");
  EXPECT_EQ(look(1s, age(10)), "");
  EXPECT_EQ(look(31s, age(10)), "cleared queue_age:bulk");
}

TEST_F(AlertBook, IsClearedWhenThereIsNothingToReadAnyMore) {
  EXPECT_EQ(disk(2s, 0.01), "");
  EXPECT_EQ(disk(11s, 0.01), "raised disk_low:library");

  EXPECT_EQ(look(1s, {}), "");
  EXPECT_EQ(look(11s, {}), "cleared disk_low:library");
}

TEST_F(AlertBook, NeverRaisesWhatHasNoRule) {
  const std::vector<alert_reading> none{{alert_kind::memory_low, "", 0}};

  EXPECT_EQ(look(1s, none), "");
  EXPECT_EQ(look(1h, none), "");
}

TEST_F(AlertBook, RaisesAtOnceWhatNeedsNoTime) {
  EXPECT_EQ(look(1s, {{alert_kind::store_away, "", 1}}), "raised store_away");
  EXPECT_EQ(look(1s, {{alert_kind::store_away, "", 0}}), "cleared store_away");
}

} // namespace
} // namespace troupe::actors
