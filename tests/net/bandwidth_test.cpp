#include "net/bandwidth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

namespace troupe::net {

namespace {

using namespace std::chrono_literals;

constexpr double mbit = 125'000;

double seconds(bandwidth::time::duration time) {
  return std::chrono::duration<double>(time).count();
}

/// A bucket beside that of the code: what came beyond the rate at its worst.
struct gauge {
  double rate = 0;
  double level = 0;
  double most = 0;
  bandwidth::time at{};

  void add(std::size_t bytes, bandwidth::time now) {
    level = std::max(0.0, level - rate * seconds(now - at));
    at = now;
    level += static_cast<double>(bytes);
    most = std::max(most, level);
  }
};

/// Senders on a virtual clock. Each asks again `pause` after it was granted.
class bandwidth_test : public testing::Test {
protected:
  struct sending {
    std::string owner;
    bandwidth::place place;
    bandwidth::time::duration pause{};
    std::size_t piece = 1 << 20;
    double got = 0;
    double worst_wait = 0;
    bandwidth::time asked{};
  };

  void limit(bandwidth_limits limits) {
    limits_ = limits;
    tree.emplace(limits, now);
  }

  sending& add(const std::string& owner, int priority,
               bandwidth::time::duration pause = 0s) {
    auto& one = all.emplace_back();
    one.owner = owner;
    one.pause = pause;
    one.place =
      tree->enter(owner, "s" + std::to_string(all.size()), priority, now);
    ask(one);
    return one;
  }

  void ask(sending& one) {
    one.asked = now;
    tree->ask(one.place, one.piece);
  }

  /// Who sends stops, and starts again.
  void stop(sending& one) {
    tree->withdraw(one.place);
    std::erase_if(later, [&](const auto& each) { return each.second == &one; });
  }

  void run(bandwidth::time::duration time) {
    const auto end = now + time;
    total.rate = limits_.total;
    total.at = now;
    while (now < end) {
      while (!later.empty() && later.begin()->first <= now) {
        auto& one = *later.begin()->second;
        later.erase(later.begin());
        ask(one);
      }
      if (const auto granted = tree->next(now)) {
        note(*granted);
        continue;
      }
      auto next = std::min(tree->wake(), end);
      if (!later.empty())
        next = std::min(next, later.begin()->first);
      ASSERT_GT(next, now) << "time stands still";
      now = next;
    }
  }

  void note(const bandwidth::granted& granted) {
    auto& one = *std::ranges::find_if(
      all, [&](const sending& each) { return &each.place == granted.to; });
    one.got += static_cast<double>(granted.bytes);
    one.worst_wait = std::max(one.worst_wait, seconds(now - one.asked));
    total.add(granted.bytes, now);
    auto& its = owners[one.owner];
    its.rate = limits_.owner;
    its.add(granted.bytes, now);
    auto& own = sessions[&one];
    own.rate = limits_.session;
    own.add(granted.bytes, now);
    if (one.pause == 0s)
      ask(one);
    else
      later.emplace(now + one.pause, &one);
  }

  double sum() const {
    double out = 0;
    for (const auto& each : all)
      out += each.got;
    return out;
  }

  void clear() {
    for (auto& each : all) {
      each.got = 0;
      each.worst_wait = 0;
    }
  }

  /// What a bucket of that rate lets through at once.
  double burst(double rate) const {
    return std::max(rate / 10, 2.0 * static_cast<double>(tree->piece()));
  }

  bandwidth::time now{1h};
  bandwidth_limits limits_;
  std::optional<bandwidth> tree;
  std::list<sending> all;
  std::multimap<bandwidth::time, sending*> later;
  gauge total;
  std::map<std::string, gauge> owners;
  std::map<const sending*, gauge> sessions;
};

} // namespace

TEST_F(bandwidth_test, SharesTheTotalOfOneOwnerByPriority) {
  limit({10 * mbit, 0, 0});
  auto& nine = add("a", 9);
  auto& five = add("a", 5);
  auto& one = add("a", 1);

  run(60s);

  EXPECT_NEAR(sum(), 10 * mbit * 60, 0.01 * 10 * mbit * 60);
  EXPECT_NEAR(nine.got / sum(), 9.0 / 15, 0.02 * 9 / 15);
  EXPECT_NEAR(five.got / sum(), 5.0 / 15, 0.02 * 5 / 15);
  EXPECT_NEAR(one.got / sum(), 1.0 / 15, 0.02 * 1 / 15);
}

TEST_F(bandwidth_test, SharesAmongOwnersByTheirHighestSession) {
  limit({100 * mbit, 0, 0});
  auto& high = add("a", 8);
  auto& low = add("b", 2);

  run(20s);

  EXPECT_NEAR(high.got / sum(), 0.8, 0.016);
  EXPECT_NEAR(low.got / sum(), 0.2, 0.004);
}

TEST_F(bandwidth_test, GivesAnOwnerNoMoreForMoreSessions) {
  limit({40 * mbit, 0, 0});
  for (int i = 0; i < 30; ++i)
    add("many", 5);
  auto& alone = add("one", 5);

  run(300s); // so that a piece more or less does not show

  EXPECT_NEAR(alone.got / sum(), 0.5, 0.01);
  for (const auto& each : all) {
    if (&each == &alone)
      continue;
    EXPECT_NEAR(each.got / sum(), 0.5 / 30, 0.02 * 0.5 / 30);
  }
}

TEST_F(bandwidth_test, HoldsEveryCeilingWithinItsBurst) {
  limit({50 * mbit, 20 * mbit, 6 * mbit});
  for (const auto* owner : {"a", "b", "c"})
    for (int i = 0; i < 4; ++i)
      add(owner, i, i % 2 == 0 ? 0ms : 7ms);
  add("d", 9);

  run(30s);

  EXPECT_LE(total.most, burst(limits_.total) + 1);
  EXPECT_NEAR(sum(), 50 * mbit * 30, 0.02 * 50 * mbit * 30);
  for (const auto& [name, each] : owners)
    EXPECT_LE(each.most, burst(limits_.owner) + 1) << name;
  for (const auto& [who, each] : sessions)
    EXPECT_LE(each.most, burst(limits_.session) + 1);
}

TEST_F(bandwidth_test, LeavesToOthersWhatOneDoesNotUse) {
  limit({20 * mbit, 0, 5 * mbit});
  auto& first = add("a", 9);
  auto& second = add("a", 1);
  run(10s);
  // Both are at their ceilings, which is less than the total.
  EXPECT_NEAR(first.got, 5 * mbit * 10, 0.05 * 5 * mbit * 10);
  EXPECT_NEAR(second.got, 5 * mbit * 10, 0.05 * 5 * mbit * 10);

  limit({20 * mbit, 0, 0});
  all.clear();
  auto& goes = add("a", 9);
  auto& stays = add("b", 1);
  run(10s);
  stop(goes);
  clear();
  run(10s);

  EXPECT_EQ(goes.got, 0);
  EXPECT_NEAR(stays.got, 20 * mbit * 10, 0.02 * 20 * mbit * 10);
}

TEST_F(bandwidth_test, LeavesAnOwnerAtItsCeilingOut) {
  limit({20 * mbit, 8 * mbit, 0});
  auto& a = add("a", 9);
  auto& b = add("b", 1);
  auto& c = add("c", 1);

  run(20s);

  EXPECT_NEAR(a.got / sum(), 0.4, 0.01);
  EXPECT_NEAR(b.got / sum(), 0.3, 0.01);
  EXPECT_NEAR(c.got / sum(), 0.3, 0.01);
}

TEST_F(bandwidth_test, StarvesNobody) {
  limit({100 * mbit, 0, 0});
  for (int i = 0; i < 40; ++i)
    add("a", 9);
  auto& least = add("a", 0);

  run(60s);

  const auto share = 0.5 / (40 * 9 + 0.5);
  EXPECT_NEAR(
    least.got, share * sum(),
    std::max(0.02 * share * sum(), static_cast<double>(tree->piece())));
  const auto turn = static_cast<double>(tree->piece()) / (share * 100 * mbit);
  EXPECT_LT(least.worst_wait, 1.1 * turn);
}

TEST_F(bandwidth_test, KeepsTheSharesOfThoseWhoAskAgainALittleLater) {
  limit({10 * mbit, 0, 0});
  auto& nine = add("a", 9, 2ms);
  auto& one = add("b", 1, 1ms);

  run(60s);

  EXPECT_NEAR(nine.got / sum(), 0.9, 0.018);
  EXPECT_NEAR(one.got / sum(), 0.1, 0.002);
}

TEST_F(bandwidth_test, GivesNoCreditForTimeAway) {
  limit({10 * mbit, 0, 0});
  auto& away = add("a", 5);
  auto& stays = add("b", 5);
  run(1s);
  stop(away);
  run(30s);
  clear();

  ask(away);
  run(2s);

  EXPECT_NEAR(away.got / sum(), 0.5,
              12.0 * static_cast<double>(tree->piece()) / sum());
  EXPECT_GT(stays.got, 0);
}

TEST_F(bandwidth_test, ServesThePlacesOfASessionInTurn) {
  limit({10 * mbit, 0, 0});
  sending one, two;
  one.place = tree->enter("a", "film", 5, now);
  two.place = tree->enter("a", "film", 5, now);
  EXPECT_EQ(tree->sessions(), 1u);
  tree->ask(one.place, 10);
  tree->ask(two.place, 20);

  const auto first = tree->next(now);
  const auto second = tree->next(now);

  EXPECT_EQ(first->to, &one.place);
  EXPECT_EQ(first->bytes, 10u);
  EXPECT_EQ(second->to, &two.place);
  EXPECT_EQ(second->bytes, 20u);
  EXPECT_FALSE(tree->next(now));
}

TEST_F(bandwidth_test, TakesANewTotalFromThatMomentOn) {
  limit({10 * mbit, 0, 0});
  add("a", 5);
  add("b", 5);
  run(10s);
  clear();

  limits_.total = 100 * mbit;
  tree->limit(limits_, now);
  run(10s);
  EXPECT_NEAR(sum(), 100 * mbit * 10, 0.02 * 100 * mbit * 10);
  clear();

  limits_.total = 1 * mbit;
  tree->limit(limits_, now);
  run(10s);
  EXPECT_NEAR(sum(), 1 * mbit * 10, burst(1 * mbit) + 1);
}

TEST_F(bandwidth_test, GrantsAtOnceWhereNothingIsLimited) {
  limit({});
  auto& one = add("a", 0);
  for (int i = 0; i < 1000; ++i) {
    const auto granted = tree->next(now);
    ASSERT_TRUE(granted);
    ask(one);
  }
}

TEST_F(bandwidth_test, TakesChangesOfPriorityWithTheNextBody) {
  limit({10 * mbit, 0, 0});
  auto film = tree->enter("a", "film", 1, now);
  auto& other = add("b", 3);
  sending again;
  again.place = tree->enter("a", "film", 9, now);
  tree->leave(film, now);
  auto& one = all.emplace_back(again);
  one.owner = "a";
  ask(one);

  run(20s);

  EXPECT_NEAR(other.got / sum(), 0.25, 0.01);
}

TEST_F(bandwidth_test, ForgetsWhoIsGone) {
  limit({10 * mbit, 5 * mbit, 1 * mbit});
  constexpr std::size_t many = 100'000;
  std::vector<bandwidth::place> places;
  for (std::size_t i = 0; i < many; ++i)
    places.push_back(tree->enter("owner" + std::to_string(i % 1000),
                                 std::to_string(i), 5, now));
  for (auto& each : places)
    tree->ask(each, 1000);
  for (int i = 0; i < 5000; ++i)
    if (!tree->next(now))
      now = tree->wake();
  EXPECT_EQ(tree->sessions(), many);
  EXPECT_EQ(tree->owners(), 1000u);

  for (auto& each : places)
    tree->leave(each, now);
  EXPECT_FALSE(tree->any_waits());
  int looks = 0;
  while (tree->wake() != bandwidth::time::max()) {
    now = std::max(now, tree->wake());
    EXPECT_FALSE(tree->next(now));
    ASSERT_LT(++looks, 10'000);
  }

  EXPECT_EQ(tree->sessions(), 0u);
  EXPECT_EQ(tree->owners(), 0u);
}

TEST_F(bandwidth_test, LetsThoseGoWhoWaitAnywhere) {
  limit({8 * mbit, 2 * mbit, 1 * mbit});
  auto& held = add("a", 5);
  auto& ready = add("b", 5);
  while (tree->next(now).has_value())
    for (auto* each : {&held, &ready}) {
      if (each->place.wanted == 0)
        ask(*each);
    }
  ASSERT_TRUE(tree->any_waits());

  tree->leave(held.place, now);
  tree->leave(ready.place, now);

  EXPECT_FALSE(tree->any_waits());
  EXPECT_FALSE(tree->next(now + 1s));
  EXPECT_FALSE(tree->next(now + 10s));
  EXPECT_EQ(tree->sessions(), 0u);
  EXPECT_EQ(tree->wake(), bandwidth::time::max());
}

} // namespace troupe::net
