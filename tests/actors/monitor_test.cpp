#include "actors/monitor.hpp"
#include "config/metrics.hpp"
#include "tests/actor_fixture.hpp"
#include "tests/actors/fakes.hpp"

#include <caf/send.hpp>
#include <gmock/gmock.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using ::testing::HasSubstr;

class MonitorTest : public troupe::testing::ActorTest {
protected:
  MonitorTest() {
    host.cores = 2;
    host.memory = 1000;
    host.memory_available = 500;
    host.disks = {{"library", "/l", 100, 50}};
    monitor_options options;
    options.node = "n1";
    options.name = "machine";
    options.every = 2s;
    options.read = [this] {
      ++reads;
      return host;
    };
    options.alerts.disk_low = "0.05 0.08 3";
    options.alerts.store_away = "1 0 0";
    options.store_up = [this] {
      return store_up;
    };
    options.budget = budget;
    options.min_disk = 0.1;
    options.metrics = &metrics;
    hub_ = keep(sys.spawn(fake_hub, hub));
    queue_ = keep(sys.spawn(fake_queue, queue));
    manager_ = keep(sys.spawn(fake_manager, pool));
    aut = keep(sys.spawn(monitor, std::move(options)));
    caf::anon_send(aut, wiring{queue_, {}, hub_});
    run();
  }

  void report(std::uint64_t ended = 0, std::uint64_t failed = 0) {
    pool_view view;
    view.name = "bulk";
    view.slots = 4;
    view.ended = ended;
    view.failed = failed;
    caf::anon_send(aut, pool_report{std::move(view), manager_});
    run();
  }

  nodes_reply ask() {
    nodes_reply all;
    caf::anon_send(
      aut, nodes_request{answer<nodes_reply>{[&all](result<nodes_reply> found) {
        all = std::move(found).value();
      }}});
    run();
    return all;
  }

  std::vector<std::string> told(std::string_view topic) const {
    std::vector<std::string> types;
    for (const auto& it : hub->subjects)
      if (it.topic == topic)
        types.push_back(std::to_string(static_cast<int>(it.type)) + it.id);
    return types;
  }

  static std::string word(job_event_type type, const std::string& id) {
    return std::to_string(static_cast<int>(type)) + id;
  }

  media::host_figures host;
  int reads = 0;
  bool store_up = true;
  std::shared_ptr<node_budget> budget =
    std::make_shared<node_budget>(media::job_cost{2, 800, 0, 0});
  config::metrics metrics;
  std::shared_ptr<hub_script> hub = std::make_shared<hub_script>();
  std::shared_ptr<queue_script> queue = std::make_shared<queue_script>();
  std::shared_ptr<manager_script> pool = std::make_shared<manager_script>();
  hub_actor hub_;
  queue_actor queue_;
  manager_actor manager_;
  monitor_impl aut;
};

TEST_F(MonitorTest, ShowsTheNodeFromItsStart) {
  report();

  const auto all = ask();

  ASSERT_EQ(all.nodes.size(), 1u);
  const auto& node = all.nodes[0];
  EXPECT_EQ(node.id, "n1");
  EXPECT_EQ(node.host.memory_available, 500u);
  EXPECT_EQ(node.budget.memory, 800u);
  EXPECT_EQ(node.budget.disk, 40u) << "but what is kept free";
  ASSERT_EQ(node.pools.size(), 1u);
  EXPECT_EQ(node.pools[0].slots, 4u);
  EXPECT_THAT(nodes_json(all), HasSubstr(R"("name":"bulk","slots":4)"));
}

TEST_F(MonitorTest, TellsThatANodeJoinedAndThenItsLoad) {
  EXPECT_EQ(told("nodes"),
            (std::vector{word(job_event_type::node_joined, "n1")}));
  advance(2s);
  advance(2s);

  EXPECT_EQ(reads, 3);
  ASSERT_EQ(told("nodes").size(), 3u);
  EXPECT_EQ(told("nodes")[2], word(job_event_type::node_load, "n1"));
}

TEST_F(MonitorTest, TellsEachPoolOfItsOwnQueue) {
  report();
  store::queue_depth depth;
  depth.queue = "bulk";
  depth.by_state[static_cast<std::size_t>(store::job_state::queued)] = 7;
  depth.oldest_age_ms = 2500;
  queue->depths = {depth};
  host.cpu = 0.5;

  advance(2s);

  ASSERT_EQ(pool->samples.size(), 1u);
  EXPECT_EQ(pool->samples[0].queued, 7u);
  EXPECT_DOUBLE_EQ(pool->samples[0].oldest_age_s, 2.5);
  EXPECT_DOUBLE_EQ(pool->samples[0].cpu, 0.5);
  EXPECT_DOUBLE_EQ(pool->samples[0].memory, 0.5);
  EXPECT_DOUBLE_EQ(pool->samples[0].disk, 0.5);
}

TEST_F(MonitorTest, TellsPoolsOfTheMachineWhileThereIsNoQueue) {
  report();
  caf::anon_send(aut, wiring{{}, {}, hub_});
  run();

  advance(2s);

  EXPECT_EQ(pool->samples.size(), 1u);
}

TEST_F(MonitorTest, ForgetsAPoolThatDies) {
  report();
  caf::anon_send_exit(manager_, caf::exit_reason::kill);
  run();

  EXPECT_TRUE(ask().nodes[0].pools.empty());
}

TEST_F(MonitorTest, RaisesAnAlertAndClearsIt) {
  host.disks[0].free = 4;
  advance(2s);
  EXPECT_TRUE(told("alerts").empty());
  advance(2s);
  advance(2s);

  EXPECT_EQ(told("alerts"), (std::vector{word(job_event_type::alert_raised,
                                              "disk_low:library")}));
  EXPECT_THAT(alerts_json(ask()), HasSubstr(R"("id":"disk_low:library")"));
  EXPECT_THAT(metrics.text(),
              HasSubstr("troupe_alert_raised{alert=\"disk_low\",subject="
                        "\"library\"} 1"));

  host.disks[0].free = 50;
  advance(2s);
  advance(2s);
  advance(2s);
  EXPECT_EQ(told("alerts").size(), 2u);
  EXPECT_EQ(alerts_json(ask()), R"({"alerts":[]})");
}

TEST_F(MonitorTest, RaisesAnAlertWhileTheStoreIsAway) {
  store_up = false;
  advance(2s);
  ASSERT_EQ(ask().alerts.size(), 1u);
  EXPECT_EQ(ask().alerts[0].id, "store_away");

  store_up = true;
  advance(2s);
  EXPECT_TRUE(ask().alerts.empty());
}

TEST_F(MonitorTest, RaisesAnAlertWhereHalfOfTheAttemptsFail) {
  report(100, 0);
  for (int s = 0; s < 36; s += 2) {
    report(110 + static_cast<unsigned>(s), 8 + static_cast<unsigned>(s));
    advance(2s);
  }

  ASSERT_EQ(ask().alerts.size(), 1u);
  EXPECT_EQ(ask().alerts[0].id, "error_rate:bulk");
}

} // namespace
} // namespace troupe::actors
