#include "tests/actors/queue_fixture.hpp"

/// A store whose disk is full: what still goes, and what waits.
namespace troupe::actors {
namespace {

using namespace testing;

class FullDiskTest : public QueueTest {
protected:
  FullDiskTest() {
    faults->too_big = [](const store::operation& op) {
      const auto* submit = std::get_if<store::submit_op>(&op);
      return submit && submit->draft.params.size() > 100;
    };
  }

  void send(const heard<submit_reply>& replies, std::size_t bytes) {
    auto request = noop(replies);
    request.op.draft.params = '"' + std::string(bytes, 'x') + '"';
    caf::anon_send(aut, std::move(request));
  }
};

TEST_F(FullDiskTest, RefusesOnlyTheSubmitThatDoesNotFit) {
  const auto replies = listen<submit_reply>();
  const auto big = listen<submit_reply>();
  send(replies, 1);
  send(big, 1000);
  send(replies, 1);
  run();

  ASSERT_EQ(big->size(), 1u);
  EXPECT_EQ(big->front().error().code, store::errc::disk_full);
  ASSERT_EQ(replies->size(), 2u);
  EXPECT_TRUE(replies->at(0));
  EXPECT_TRUE(replies->at(1));
  EXPECT_TRUE(status->store_up);
}

TEST_F(FullDiskTest, StillAnswersWhatOnlyReads) {
  const auto id = submit();
  faults->full = true;

  EXPECT_EQ(submit(), "");
  advance(5s);

  EXPECT_TRUE(get(id));
  EXPECT_TRUE(status->store_up);
}

TEST_F(FullDiskTest, KeepsOutcomesUntilThereIsRoom) {
  const auto id = submit();
  join(1);
  faults->full = true;
  const auto verdicts = settle(store::succeed_op{id, lease().fence, "{}"}, 1);
  advance(20s);
  ASSERT_FALSE(*verdicts);
  EXPECT_EQ(get(id)->state, store::job_state::running);

  faults->full = false;
  store_ahead_ms += 20000;
  advance(5s);

  ASSERT_TRUE(*verdicts);
  EXPECT_EQ((*verdicts)->verdicts.front().error, store::errc::none);
  EXPECT_EQ(get(id)->state, store::job_state::succeeded);
  EXPECT_EQ(events(job_event_type::succeeded), 1u);
}

TEST_F(FullDiskTest, LosesNoLeaseForWantOfRoom) {
  const auto id = submit();
  join(1);
  faults->full = true;
  EXPECT_EQ(submit(), "");
  advance(20s);

  faults->full = false;
  store_ahead_ms += 20000;
  advance(5s);

  EXPECT_EQ(get(id)->state, store::job_state::running);
  EXPECT_EQ(get(id)->fence, lease().fence);
}

TEST_F(FullDiskTest, StartsWithoutRoomAndAdoptsLater) {
  const auto id = submit();
  join(1);
  faults->full = true;
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  run();

  start();
  EXPECT_TRUE(get(id));
  faults->full = false;
  advance(5s);

  EXPECT_EQ(get(id)->state, store::job_state::queued);
}

} // namespace
} // namespace troupe::actors
