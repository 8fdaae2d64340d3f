#include "actors/scheduling.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/all.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

namespace {

using namespace std::chrono_literals;

constexpr auto long_enough = 10s;

class SchedulingTest : public ::testing::Test {
protected:
  struct scheduled_config : caf::actor_system_config {
    scheduled_config() {
      troupe::actors::schedule_actors(*this);
      set("scheduler.max-threads", std::size_t{2});
      set("logger.console", caf::atom("none"));
    }
  };

  caf::actor spawn_silent() {
    return sys_.spawn([](caf::event_based_actor* self) -> caf::behavior {
      self->set_default_handler(caf::drop);
      return {[self](caf::ok_atom) {
        self->make_response_promise(); // and then says nothing
      }};
    });
  }

  scheduled_config config_;
  caf::actor_system sys_{config_};
};

TEST_F(SchedulingTest, DeliversDelayedMessages) {
  std::promise<void> heard;
  sys_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 5ms, caf::ok_atom::value);
    return {[&, self](caf::ok_atom) {
      heard.set_value();
      self->quit();
    }};
  });
  EXPECT_EQ(heard.get_future().wait_for(long_enough),
            std::future_status::ready);
}

TEST_F(SchedulingTest, KeepsTimeoutsOfRequestsAndBehaviors) {
  std::promise<caf::error> refused;
  std::promise<void> idle;
  const auto silent = spawn_silent();
  sys_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->request(silent, 5ms, caf::ok_atom::value)
      .then([] {}, [&](caf::error& why) { refused.set_value(why); });
    return {[](int) {
    }};
  });
  sys_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    return {[](int) {}, caf::after(5ms) >>
                          [&, self] {
                            idle.set_value();
                            self->quit();
                          }};
  });
  auto why = refused.get_future();
  ASSERT_EQ(why.wait_for(long_enough), std::future_status::ready);
  EXPECT_EQ(why.get(), caf::sec::request_timeout);
  EXPECT_EQ(idle.get_future().wait_for(long_enough), std::future_status::ready);
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

/// One that has ended is not kept for the sake of a timeout far ahead.
TEST_F(SchedulingTest, ForgetsTheTimeoutsOfWhatEnded) {
  const auto silent = spawn_silent();
  const auto asker =
    sys_
      .spawn([&](caf::event_based_actor* self) {
        self->request(silent, 10min, caf::ok_atom::value).then([] {});
        self->quit();
      })
      .address();
  caf::anon_send_exit(silent, caf::exit_reason::kill);
  const auto is_kept = [&] {
    return caf::actor_cast<caf::strong_actor_ptr>(asker) != nullptr;
  };
  const auto deadline = std::chrono::steady_clock::now() + long_enough;
  while (is_kept() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_FALSE(is_kept());
}

} // namespace
