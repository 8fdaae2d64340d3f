#include "config/metrics.hpp"
#include "tests/actors/pool_fixture.hpp"

#include <gmock/gmock.h>

/// How many leases a manager takes on, and when they begin.
namespace troupe::actors {
namespace {

using namespace testing;

constexpr std::uint64_t mb = 1u << 20;

class SlotsTest : public PoolTest {
protected:
  void begin(std::uint32_t floor, std::uint32_t ceiling) {
    caf::anon_send_exit(aut, caf::exit_reason::kill);
    run();
    *queue = {};
    manager_options options{"bulk", ceiling, 20s};
    options.scale = scale_limits{.floor = floor,
                                 .ceiling = ceiling,
                                 .grow_after_s = 1,
                                 .shrink_after_s = 4,
                                 .min_memory = 0.05};
    options.budget = budget;
    options.urgent = urgent;
    options.declared = [this](std::string_view) {
      return declared;
    };
    options.on_beat = [this](const std::string&, const store::fence&) {
      ++beats;
    };
    options.metrics = &metrics;
    aut = keep(sys.spawn(manager, std::move(options)));
    rewire();
  }

  void look(node_sample now) {
    advance(2s);
    caf::anon_send(aut, now);
    run();
  }

  void crowd() {
    look({.queued = 50, .oldest_age_s = 5});
  }

  void done(const std::string& id, std::uint64_t memory) {
    media::finished over{"{}", {}};
    over.used.peak_memory = memory;
    bench->attempts.at(id).sink->on_done(std::move(over));
    run();
  }

  void lease_urgent(const std::string& id) {
    --queue->urgent_room;
    auto it = job(id);
    it.deadline_ms = 2000;
    caf::anon_send(aut, lease_batch{{std::move(it)}, false, true});
    run();
  }

  /// Leases as many as there is room for. @return how many run then
  std::size_t fill() {
    while (queue->room > 0)
      lease(job("j" + std::to_string(next_++)));
    return bench->attempts.size();
  }

  std::shared_ptr<node_budget> budget =
    std::make_shared<node_budget>(media::job_cost{0, 2000 * mb, 0, 0});
  media::job_cost declared{0, 100 * mb, 0, 0};
  std::uint32_t urgent = 0;
  config::metrics metrics;
  int beats = 0;

private:
  int next_ = 0;
};

TEST_F(SlotsTest, GoesFromTheFloorToTheCeilingAndBackAsTheLoadDoes) {
  begin(1, 4);
  std::vector<std::size_t> running{fill()};
  for (int i = 0; i < 4; ++i) {
    crowd();
    running.push_back(fill());
  }
  EXPECT_EQ(running, (std::vector<std::size_t>{1, 2, 3, 4, 4}));

  while (!bench->attempts.empty())
    done(std::string{bench->attempts.begin()->first}, 0);
  EXPECT_EQ(queue->room, 4u);
  for (int i = 0; i < 8; ++i)
    look({});

  EXPECT_EQ(queue->room, 1u) << "the queue gives back what was announced";
  EXPECT_EQ(fill(), 1u);
  EXPECT_THAT(metrics.text(),
              ::testing::HasSubstr("troupe_pool_decisions_total{pool=\"bulk\","
                                   "reason=\"queue_age\"} 3"));
}

TEST_F(SlotsTest, ClaimsNothingWhileMemoryIsLow) {
  begin(2, 2);
  lease(job("a"));
  EXPECT_EQ(queue->room, 1u);

  look({.memory = 0.01});
  EXPECT_EQ(queue->room, 0u) << "at once, not after one more";
  done("a", 0);
  EXPECT_EQ(queue->room, 0u);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u) << "what runs goes on";

  look({.memory = 0.06});
  EXPECT_EQ(queue->room, 0u);
  look({.memory = 0.5});
  EXPECT_EQ(queue->room, 2u);
}

TEST_F(SlotsTest, RunsFewerOfATypeThatUsesMoreThanItDeclares) {
  begin(8, 8);
  EXPECT_EQ(fill(), 8u) << "800 of 2000 MB, as declared";

  std::size_t most = 0;
  for (int run = 0; run < 5; ++run) {
    done(std::string{bench->attempts.begin()->first}, 1000 * mb);
    most = fill();
  }
  while (bench->attempts.size() > 1)
    done(std::string{bench->attempts.begin()->first}, 1000 * mb);
  most = fill();

  EXPECT_EQ(most, 2u);
  EXPECT_LE(budget->in_use().memory, 2000 * mb);
}

TEST_F(SlotsTest, StartsWhatWaitsForTheBudgetInItsTurn) {
  declared.memory = 1500 * mb;
  begin(3, 3);
  lease(job("a"));
  lease(job("b"));
  lease(job("c"));
  EXPECT_EQ(bench->attempts.size(), 1u);
  EXPECT_GT(beats, 0) << "they are alive";

  done("a", 0);
  EXPECT_TRUE(bench->attempts.contains("b"));
  EXPECT_FALSE(bench->attempts.contains("c"));
  done("b", 0);
  EXPECT_TRUE(bench->attempts.contains("c"));
}

TEST_F(SlotsTest, StartsWhatWaitsWhenAnotherPoolHasEnded) {
  declared.memory = 1500 * mb;
  ASSERT_TRUE(budget->take("video", {0, 1500 * mb, 0, 0}));
  begin(1, 1);
  lease(job("a"));
  EXPECT_TRUE(bench->attempts.empty());

  budget->give_back("video", {0, 1500 * mb, 0, 0});
  advance(200ms);

  EXPECT_TRUE(bench->attempts.contains("a"));
}

TEST_F(SlotsTest, GivesBackWhatWaitsForTooLong) {
  declared.memory = 1500 * mb;
  ASSERT_TRUE(budget->take("video", {0, 1500 * mb, 0, 0}));
  begin(1, 1);
  lease(job("a"));

  for (int i = 0; i < 110; ++i)
    advance(100ms);

  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].reason, store::release_reason::postponed)
    << "which spends nothing";
  EXPECT_EQ(queue->room, 1u);
}

TEST_F(SlotsTest, LetsALargeJobHaveItsTurnThoughSmallOnesTakeWhatIsFree) {
  declared.memory = 1500 * mb;
  const media::job_cost small{0, 600 * mb, 0, 0};
  ASSERT_TRUE(budget->take("video", small));
  begin(1, 1);
  // Of another pool one ends only when the next one runs, if that may.
  int running = 1;
  std::size_t leases = 0;
  for (int i = 0; i < 600 && bench->attempts.empty(); ++i) {
    if (queue->of<store::release_op>().size() == leases) {
      lease(job("large"));
      ++leases;
    }
    running += budget->take("video", small);
    advance(100ms);
    if (running > 0)
      budget->give_back("video", small);
    running -= running > 0;
  }

  EXPECT_TRUE(bench->attempts.contains("large"));
  EXPECT_EQ(queue->of<store::release_op>().size(), 2u)
    << "it was postponed twice, and then waited for";
}

TEST_F(SlotsTest, GivesOthersTheBudgetBackWhenALargeJobIsCancelled) {
  declared.memory = 1500 * mb;
  const media::job_cost small{0, 600 * mb, 0, 0};
  ASSERT_TRUE(budget->take("video", small));
  begin(1, 1);
  for (int turn = 0; turn < 2; ++turn) {
    lease(job("large"));
    for (int i = 0; i < 110; ++i)
      advance(100ms);
  }
  ASSERT_EQ(queue->of<store::release_op>().size(), 2u);
  lease(job("large"));
  EXPECT_FALSE(budget->take("video", small)) << "that is kept";

  caf::anon_send(aut, revoke_lease{"large", {1, 99}, media::errc::cancelled});
  run();
  advance(200ms);

  EXPECT_TRUE(budget->take("video", small));
}

TEST_F(SlotsTest, HoldsUpNothingThatSomebodyWaitsFor) {
  declared.memory = 1500 * mb;
  urgent = 2;
  begin(2, 2);
  lease(job("a"));
  lease(job("b"));
  EXPECT_EQ(bench->attempts.size(), 1u);
  EXPECT_EQ(queue->room, 0u);
  EXPECT_EQ(queue->urgent_room, 2u);

  lease_urgent("u1");
  lease_urgent("u2");
  EXPECT_EQ(bench->attempts.size(), 3u) << "past the line and the budget";
  EXPECT_EQ(queue->urgent_room, 0u);
  EXPECT_TRUE(bench->attempts.at("u1").task.urgent);
  EXPECT_FALSE(bench->attempts.at("a").task.urgent);

  done("u1", 0);
  EXPECT_EQ(queue->urgent_room, 1u);
  EXPECT_EQ(queue->room, 0u);
  EXPECT_EQ(budget->in_use().memory, 3000 * mb);

  look({.memory = 0.01});
  EXPECT_EQ(queue->urgent_room, 0u) << "a pool that is held claims nothing";
}

TEST_F(SlotsTest, CancelsWhatWaits) {
  declared.memory = 1500 * mb;
  begin(2, 2);
  lease(job("a"));
  lease(job("b"));

  caf::anon_send(aut, revoke_lease{"b", {1, 99}, media::errc::cancelled});
  run();

  const auto released = queue->of<store::release_op>();
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].id, "b");
  EXPECT_EQ(released[0].reason, store::release_reason::drain);
  EXPECT_TRUE(queue->of<store::fail_op>().empty());
  done("a", 0);
  EXPECT_EQ(bench->made, 1u);
  EXPECT_EQ(queue->room, 1u) << "no more of them would fit";
}

TEST_F(SlotsTest, GivesBackWhatWaitsAtADrain) {
  declared.memory = 1500 * mb;
  begin(2, 2);
  lease(job("a"));
  lease(job("b"));

  const auto drained = drain();
  EXPECT_EQ(queue->of<store::release_op>().size(), 1u);
  done("a", 0);

  EXPECT_TRUE(*drained);
}

} // namespace
} // namespace troupe::actors
