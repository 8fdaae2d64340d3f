#include "actors/store/shared_store.hpp"
#include "tests/actors/queue_fixture.hpp"

#include <caf/actor_system_config.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

/// A store that is slow, on real threads.
namespace troupe::actors {
namespace {

using namespace testing;

/// A store whose writes take long; other handles to it are not concerned.
class slow_store final : public flaky_store {
public:
  slow_store(std::shared_ptr<store::job_store> inner,
             std::chrono::milliseconds pause)
    : flaky_store(std::move(inner), std::make_shared<store_faults>()),
      pause_(pause) {}
  result<std::vector<store::applied>>
  apply(std::span<const store::operation> ops) override {
    std::this_thread::sleep_for(pause_);
    return flaky_store::apply(ops);
  }

private:
  std::chrono::milliseconds pause_;
};

class ThreadsTest : public ::testing::Test {
protected:
  using store_ptr = std::shared_ptr<store::job_store>;
  static constexpr auto lease_time = 300ms;

  ThreadsTest() {
    config.add_message_types<caf::id_block::troupe>();
    sys = std::make_unique<caf::actor_system>(config);
    store::store_options options;
    options.url = "memory:";
    options.lease_ms = lease_time.count();
    core->store = *store::open_store(options);
  }

  ~ThreadsTest() override {
    for (const auto& it : everybody)
      caf::anon_send_exit(it, caf::exit_reason::kill);
    everybody.clear();
  }

  store_ptr handle() {
    return std::make_shared<store::shared_store>(core);
  }

  void start() {
    const auto board = std::make_shared<lease_board>();
    queue_options plan;
    plan.node = "n1";
    plan.lease_ms = lease_time.count();
    plan.board = board;
    plan.open = [this]() -> result<std::unique_ptr<store::job_store>> {
      return std::make_unique<slow_store>(handle(), 3 * lease_time);
    };
    aut = sys->spawn<caf::detached>(queue, plan);
    renewer_options renews;
    renews.lease_ms = lease_time.count();
    renews.board = board;
    renews.open = [this]() -> result<std::unique_ptr<store::job_store>> {
      return std::make_unique<store::shared_store>(core);
    };
    const renewer_actor other = sys->spawn<caf::detached>(renewer, renews);
    const manager_actor pool =
      sys->spawn(fake_manager, std::make_shared<manager_script>());
    for (const auto& to :
         {caf::actor_cast<caf::actor>(aut), caf::actor_cast<caf::actor>(other),
          caf::actor_cast<caf::actor>(pool)})
      everybody.push_back(to);
    caf::anon_send(other, wiring{aut, {}, {}});
    caf::anon_send(aut, announce{{"bulk", 1}, {}, pool});
  }

  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> sys;
  std::shared_ptr<store::shared_store::core> core =
    std::make_shared<store::shared_store::core>();
  queue_actor aut;
  std::vector<caf::actor> everybody;
};

TEST_F(ThreadsTest, RenewsWhileTheQueueIsBusyForThreeLeases) {
  store::submit_op op;
  op.draft.id = "job";
  op.draft.queue = "bulk";
  const store::operation one[] = {op};
  const auto mine = handle();
  ASSERT_TRUE(mine->apply(one));
  start();
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (mine->get("job")->state != store::job_state::running)
    ASSERT_LT(std::chrono::steady_clock::now(), limit);

  auto done = std::make_shared<std::atomic<bool>>(false);
  caf::anon_send(aut, job_command{job_command_kind::cancel, "none",
                                  answer<store::job>{[done](const auto&) {
                                    *done = true;
                                  }}});
  std::size_t expired = 0;
  while (!*done) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit);
    const auto swept = mine->sweep({});
    expired += swept->expired.size();
    std::this_thread::yield();
  }

  EXPECT_EQ(expired, 0u);
  EXPECT_EQ(mine->get("job")->state, store::job_state::running);
  EXPECT_EQ(mine->get("job")->fence.epoch, 1u);
}

} // namespace
} // namespace troupe::actors
