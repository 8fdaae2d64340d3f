#include "tests/actors/queue_fixture.hpp"

#include <utility>

namespace troupe::actors::testing {
namespace {

using namespace std::chrono_literals;

class RenewerTest : public QueueTest {};

TEST_F(RenewerTest, PutsNoRenewalOffForALookBetween) {
  const auto own = std::make_shared<store_faults>();
  renewer_options plan;
  plan.lease_ms = 1000;
  plan.look_every = 250ms;
  plan.board = board;
  plan.open = [this, own]() -> result<std::unique_ptr<store::job_store>> {
    return std::make_unique<flaky_store>(store, own);
  };
  keep(sys.spawn(renewer, std::move(plan)));
  run();

  for (int i = 0; i < 3000; ++i)
    advance(1ms);

  EXPECT_GE(own->renewals, 9); // a third of a lease apart
}

} // namespace
} // namespace troupe::actors::testing
