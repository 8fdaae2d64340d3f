#include "actors/store/operation_text.hpp"
#include "actors/store/operations.hpp"
#include "actors/store/spool.hpp"
#include "tests/store/scratch_folder.hpp"

#include <gtest/gtest.h>

namespace troupe::store::testing {

namespace {

class SpoolTest : public ::testing::Test {
protected:
  std::unique_ptr<spool> open(std::uint64_t max_bytes = 1 << 20) {
    return spool::open((folder.path() / "spool.db").string(), max_bytes)
      .value();
  }

  scratch_folder folder;
};

std::vector<operation> some_of_each() {
  submit_op submit;
  submit.draft.id = "a";
  submit.draft.type = "noop";
  submit.draft.queue = "bulk";
  submit.draft.params = R"({"sleep_ms":1})";
  submit.draft.run_at = 12345;
  submit.draft.tags = {"x", "y"};
  submit.draft.unique_key = "key";
  submit.idempotency = {"scope", "hash"};
  submit.asked = durability::disk;
  submit.spooled = true;
  const fence proof{7, 0xffff'ffff'ffff'ffffu};
  media::progress now;
  now.stage = "work";
  now.fraction = 0.25;
  const media::staged_file file{"/staged", "/final", 42, "aa", true};
  fail_op failed{"e",  proof,         "timeout", "late", true,
                 1500, R"({"at":2})", true,      true};
  auto delayed = submit;
  delayed.draft.delay_ms = 5000;
  delayed.since = {"boot", 77, 99};
  return {submit,
          delayed,
          checkpoint_op{"b", proof, now, "{\"at\":1}"},
          commit_op{"c", proof, "{}", {file}},
          succeed_op{"d", proof, "{}"},
          failed,
          release_op{"f", proof, release_reason::postponed, 250},
          withdraw_op{"g", "scope"}};
}

TEST(Spooled, ADelayCountsFromTheSubmitWhateverTheClockSays) {
  submit_op op;
  op.draft.delay_ms = 5000;
  op.draft.run_at = 20'000;
  const moment begun{"one boot", 1000, 700'000};

  const auto waiting = as_spooled(op, begun);

  EXPECT_TRUE(waiting.spooled);
  EXPECT_EQ(waiting.draft.run_at, 20'000);
  const auto left = [&](moment now) {
    return left_of(waiting, now).delay_ms;
  };
  EXPECT_EQ(left({"one boot", 3000, 100'000}), 3000);
  EXPECT_EQ(left({"one boot", 3000, 1'300'000}), 3000);
  EXPECT_EQ(left({"one boot", 9000, 0}), 0);
  EXPECT_EQ(left({"another boot", 10, 702'000}), 3000);
  EXPECT_EQ(left({"another boot", 10, 600'000}), 5000);
}

TEST(Moment, GoesOnByTheUptime) {
  const auto one = moment_now();
  auto later = one;
  later.up_ms += 250;
  later.wall -= 600'000;

  EXPECT_FALSE(one.boot.empty());
  EXPECT_EQ(ms_between(one, later), 250);
  EXPECT_EQ(ms_between(later, one), 0);
  EXPECT_LT(ms_between(one, moment_now()), 10'000);
}

TEST(OperationText, TellsWhatItWasMadeOf) {
  for (const auto& op : some_of_each()) {
    const auto bytes = pack_operation(op);
    ASSERT_TRUE(bytes);

    const auto again = unpack_operation(*bytes);

    ASSERT_TRUE(again) << bytes->front();
    EXPECT_EQ(again->index(), op.index());
    EXPECT_EQ(*pack_operation(*again), *bytes);
    if (const auto* submit = std::get_if<submit_op>(&*again)) {
      EXPECT_EQ(submit->draft, std::get<submit_op>(op).draft);
      EXPECT_TRUE(submit->spooled);
      EXPECT_EQ(submit->since, std::get<submit_op>(op).since);
    }
    for (std::size_t size = 0; size < bytes->size(); ++size)
      EXPECT_FALSE(unpack_operation(bytes->substr(0, size)));
  }
  EXPECT_FALSE(pack_operation(retry_op{"a"}));
  EXPECT_FALSE(unpack_operation("?"));
}

TEST_F(SpoolTest, KeepsWhatItTookInOrderForTheNextLife) {
  const auto ops = some_of_each();
  {
    auto first = open();
    ASSERT_TRUE(first->append(std::span{ops}.first(3), false));
    ASSERT_TRUE(first->append(std::span{ops}.subspan(3), true));
  }

  auto next = open();
  const auto read = next->read();

  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), ops.size());
  EXPECT_EQ(next->size(), ops.size());
  for (std::size_t i = 0; i < ops.size(); ++i)
    EXPECT_EQ(*pack_operation(read->at(i).op), *pack_operation(ops[i]));
}

TEST_F(SpoolTest, ForgetsWhatIsDoneWithAndNothingElse) {
  auto it = open();
  const auto ops = some_of_each();
  const auto first = it->append(std::span{ops}.first(2), true);
  const auto bytes = it->bytes();
  const auto second = it->append(std::span{ops}.subspan(2), true);

  ASSERT_TRUE(it->drop(*first));
  EXPECT_GT(bytes, 0u);
  EXPECT_EQ(it->size(), ops.size() - 2);
  EXPECT_EQ(it->read()->front().op.index(), ops[2].index());
  ASSERT_TRUE(it->drop(*second));

  EXPECT_EQ(it->size(), 0u);
  EXPECT_EQ(it->bytes(), 0u);
  const auto third = it->append(std::span{ops}.first(1), true);
  EXPECT_GT(*third, *second);
}

TEST_F(SpoolTest, KnowsInItsNextLifeWhatItKeepsAndWhoseLifeTookIt) {
  const auto ops = some_of_each();
  {
    auto first = open();
    const auto told = first->append(std::span{ops}.first(3), true);
    ASSERT_TRUE(first->append(std::span{ops}.subspan(3), true));
    EXPECT_EQ(first->kept().size, 0u);
    ASSERT_TRUE(first->keep(*told, "one life"));
  }

  auto next = open();

  EXPECT_EQ(next->kept().size, 3u);
  EXPECT_EQ(next->kept().life, "one life");
  EXPECT_EQ(next->size(), ops.size());
  ASSERT_TRUE(next->drop(next->kept().through));
  EXPECT_EQ(next->kept().size, 0u);
  EXPECT_EQ(next->size(), ops.size() - 3);
  EXPECT_EQ(open()->kept().size, 0u);
}

TEST_F(SpoolTest, TakesSubmitsUpToItsLimitAndOutcomesBeyond) {
  auto it = open(64);
  const auto ops = some_of_each();

  const auto refused = it->append(std::span{ops}.first(1), false);
  const auto kept = it->append(std::span{ops}.subspan(1), true);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::queue_full);
  EXPECT_TRUE(kept);
  EXPECT_EQ(it->size(), ops.size() - 1);
}

TEST_F(SpoolTest, PassesOverWhatCannotWait) {
  auto it = open();
  const operation ops[] = {retry_op{"a"}};

  EXPECT_TRUE(it->append(ops, true));
  EXPECT_EQ(it->size(), 0u);
}

} // namespace

} // namespace troupe::store::testing
