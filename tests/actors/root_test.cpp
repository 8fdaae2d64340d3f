#include "actors/manager.hpp"
#include "actors/root.hpp"
#include "actors/stage.hpp"
#include "tests/actor_fixture.hpp"
#include "tests/actors/fakes.hpp"

#include <caf/send.hpp>

#include <optional>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class RootTest : public troupe::testing::ActorTest {
protected:
  RootTest() {
    root_options options;
    options.make_queue = [this](bool first) {
      firsts.push_back(first);
      queue_ = sys.spawn(fake_queue, queue);
      return queue_;
    };
    options.make_hub = [this] {
      ++hubs;
      hub_ = sys.spawn(fake_hub, std::make_shared<hub_script>());
      return hub_;
    };
    options.make_stage = [this]() -> stage_actor {
      return sys.spawn(stage, scripted_bench(bench));
    };
    options.make_extract = [this]() -> extract_actor {
      return sys.spawn(
        [](extract_actor::pointer) -> extract_actor::behavior_type {
          return {[](extract_request&) {
          }};
        });
    };
    options.make_managers.push_back([this]() -> manager_actor {
      manager_ = sys.spawn(manager, manager_options{"bulk", 2, 20s});
      return manager_;
    });
    options.on_change = [this](edge_contacts now) {
      contacts = std::move(now);
    };
    options.on_end = [this](int code) {
      status = code;
    };
    aut = sys.spawn(root, std::move(options));
    run();
  }

  ~RootTest() override {
    contacts = {};
    caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
    run();
  }

  static store::job job(const std::string& id) {
    store::job it;
    it.id = id;
    it.fence = {1, 2};
    return it;
  }

  template <class Handle>
  void kill(const Handle& it) {
    caf::anon_send_exit(it, caf::exit_reason::kill);
    run();
  }

  std::shared_ptr<queue_script> queue = std::make_shared<queue_script>();
  std::shared_ptr<bench_script> bench = std::make_shared<bench_script>();
  std::vector<bool> firsts;
  int hubs = 0;
  queue_actor queue_;
  hub_actor hub_;
  manager_actor manager_;
  edge_contacts contacts;
  std::optional<int> status;
  root_impl aut;
};

TEST_F(RootTest, ReplacesWhatDiesAndTellsEverybody) {
  const auto old = contacts.queue;

  kill(queue_);
  EXPECT_EQ(contacts.queue, nullptr);
  advance(1s);

  EXPECT_EQ(firsts, (std::vector<bool>{true, false}));
  EXPECT_NE(contacts.queue, nullptr);
  EXPECT_NE(contacts.queue, old);
  EXPECT_EQ(queue->announced.size(), 2u) << "its manager knows the new one";
}

TEST_F(RootTest, GivesUpOnWhatDiesTooOften) {
  for (int i = 0; i < 6 && !status; ++i) {
    kill(hub_);
    advance(5s);
  }

  EXPECT_EQ(hubs, 6);
  EXPECT_EQ(status, 1);
  EXPECT_EQ(contacts.queue, nullptr);
}

TEST_F(RootTest, ForgivesDeathsThatLieFarApart) {
  for (int i = 0; i < 10; ++i) {
    kill(hub_);
    advance(30s);
  }

  EXPECT_EQ(hubs, 11);
  EXPECT_EQ(status, std::nullopt);
}

TEST_F(RootTest, EndsEverythingAfterADrain) {
  caf::anon_send(aut, drain_request{});
  caf::anon_send(aut, drain_request{});
  run();

  EXPECT_EQ(status, 0);
  EXPECT_EQ(contacts.hub, nullptr);
  EXPECT_EQ(sys.registry().running(), 1u) << "the test's own actor";
}

TEST_F(RootTest, WaitsForWhatRunsWhenItDrains) {
  caf::anon_send(manager_, lease_batch{{job("a")}, false});
  run();

  caf::anon_send(aut, drain_request{});
  run();
  EXPECT_EQ(status, std::nullopt);
  bench->attempts.at("a").sink->on_done(media::finished{"{}", {}});
  run();

  EXPECT_EQ(status, 0);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
}

TEST_F(RootTest, RetiresForGoodAndGoesOn) {
  caf::anon_send(manager_, lease_batch{{job("a")}, false});
  run();

  caf::anon_send(aut, retire_request{});
  caf::anon_send(aut, retire_request{});
  run();
  bench->attempts.at("a").sink->on_done(media::finished{"{}", {}});
  caf::anon_send(manager_, lease_batch{{job("b")}, false});
  run();

  EXPECT_EQ(status, std::nullopt);
  EXPECT_NE(contacts.queue, nullptr);
  EXPECT_EQ(queue->drains, 1u);
  EXPECT_EQ(queue->of<store::succeed_op>().size(), 1u);
  EXPECT_EQ(queue->of<store::release_op>().size(), 1u) << "of what came later";
}

TEST_F(RootTest, TellsWhatItReplacesThatItHasRetired) {
  caf::anon_send(aut, retire_request{});
  run();

  kill(queue_);
  kill(manager_);
  advance(1s);
  caf::anon_send(manager_, lease_batch{{job("a")}, false});
  run();

  EXPECT_GE(queue->drains, 2u);
  EXPECT_EQ(queue->of<store::release_op>().size(), 1u);
}

TEST_F(RootTest, EndsWhenItDrainsAfterItHasRetired) {
  caf::anon_send(aut, retire_request{});
  run();

  caf::anon_send(aut, drain_request{});
  run();

  EXPECT_EQ(status, 0);
}

TEST_F(RootTest, TakesEverybodyAlongWhenItDiesOfADefect) {
  kill(aut);

  EXPECT_EQ(status, 1);
  EXPECT_EQ(sys.registry().running(), 1u) << "the test's own actor";
}

TEST_F(RootTest, EndsAtOnceWhenItIsTold) {
  caf::anon_send_exit(aut, caf::exit_reason::user_shutdown);
  run();

  EXPECT_EQ(status, 0);
}

} // namespace
} // namespace troupe::actors
