#include "actors/event_log.hpp"

#include "actors/topic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EventLogTest : public ::testing::Test {
protected:
  static store::job job(std::string id, store::job_state state,
                        std::uint64_t claim = 0) {
    store::job made;
    made.id = std::move(id);
    made.queue = "download";
    made.state = state;
    made.fence.epoch = claim;
    return made;
  }

  job_event event(std::string id, job_event_type type, store::job_state state,
                  std::uint64_t claim = 0) {
    return {type, now.wall, job(std::move(id), state, claim)};
  }

  void create(const std::string& id) {
    log.add(event(id, job_event_type::created, store::job_state::queued), now);
  }

  void start(const std::string& id, std::uint64_t claim = 1) {
    log.add(
      event(id, job_event_type::started, store::job_state::running, claim),
      now);
  }

  void end(const std::string& id, std::uint64_t claim = 1) {
    log.add(
      event(id, job_event_type::succeeded, store::job_state::succeeded, claim),
      now);
  }

  void report(const std::string& id, std::int64_t done,
              std::uint64_t claim = 1) {
    progress_report made{id, "download", claim, {}};
    made.now.done = done;
    log.report(std::move(made), now);
  }

  void pass(std::chrono::milliseconds time) {
    now.steady += time;
    now.wall += time.count();
    log.tick(now);
  }

  /// What this topic's listeners get since the last call.
  std::vector<frame_ptr> heard(const std::string& topic) {
    for (auto& fresh : log.take_fresh())
      for (auto& frame : fresh.frames)
        heard_[fresh.topic].push_back(std::move(frame));
    return std::exchange(heard_[topic], {});
  }

  static std::vector<std::string> types(const std::vector<frame_ptr>& frames) {
    std::vector<std::string> out;
    for (const auto& frame : frames)
      out.push_back(frame->type);
    return out;
  }

  static std::vector<std::uint64_t>
  offsets(const std::vector<frame_ptr>& frames) {
    std::vector<std::uint64_t> out;
    for (const auto& frame : frames)
      out.push_back(frame->offset);
    return out;
  }

  config::event_settings settings;
  event_log log{settings, "e1"};
  moment now{std::chrono::steady_clock::time_point{1h}, 1700000000000};

private:
  std::map<std::string, std::vector<frame_ptr>> heard_;
};

TEST_F(EventLogTest, NumbersEachTopicWithoutGaps) {
  const auto jobs = log.listen({"jobs", "", 0});
  const auto one = log.listen({"job:a", "", 0});

  create("a");
  create("b");
  start("a");
  end("a");

  EXPECT_THAT(offsets(heard("jobs")),
              ElementsAre(jobs.offset + 1, jobs.offset + 2, jobs.offset + 3,
                          jobs.offset + 4));
  EXPECT_THAT(offsets(heard("job:a")),
              ElementsAre(one.offset + 1, one.offset + 2, one.offset + 3));
}

TEST_F(EventLogTest, PutsAnEventIntoEveryTopicThatCarriesIt) {
  for (const auto* topic :
       {"job:a", "jobs", "queue:download", "batch:b", "owner:o"})
    (void)log.listen({topic, "", 0});
  auto made = job("a", store::job_state::failed);
  made.batch = "b";
  made.owner = "o";

  log.add({job_event_type::failed, now.wall, std::move(made)}, now);

  for (const auto* topic :
       {"job:a", "jobs", "queue:download", "batch:b", "owner:o"})
    EXPECT_THAT(types(heard(topic)), ElementsAre("job.failed")) << topic;
}

TEST_F(EventLogTest, TellsOwnersOfTerminalEventsAlone) {
  (void)log.listen({"owner:o", "", 0});
  auto made = job("a", store::job_state::queued);
  made.owner = "o";

  log.add({job_event_type::created, now.wall, std::move(made)}, now);

  EXPECT_THAT(heard("owner:o"), IsEmpty());
}

TEST_F(EventLogTest, CarriesTheWholeJobOrItsProgressAsData) {
  (void)log.listen({"job:a", "", 0});

  start("a");
  report("a", 7);

  const auto frames = heard("job:a");
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_THAT(frames[0]->text, HasSubstr(R"("data":{"id":"a","type":)"));
  EXPECT_THAT(frames[0]->text, HasSubstr(R"({"op":"event","topic":"job:a",)"
                                         R"("epoch":"e1","offset":)"));
  EXPECT_THAT(frames[1]->text,
              HasSubstr(R"("data":{"id":"a","progress":{"fraction":null,)"));
}

TEST_F(EventLogTest, LetsTheFirstProgressThroughAndConflatesWhatFollows) {
  const auto at = log.listen({"job:a", "", 0}).offset;
  start("a");

  for (int done = 1; done <= 50; ++done)
    report("a", done);
  const auto at_once = heard("job:a");
  pass(100ms);
  const auto later = heard("job:a");

  EXPECT_THAT(types(at_once), ElementsAre("job.started", "job.progress"));
  EXPECT_THAT(at_once[1]->text, HasSubstr(R"("done":1,)"));
  ASSERT_THAT(offsets(later), ElementsAre(at + 3));
  EXPECT_THAT(later[0]->text, HasSubstr(R"("done":50,)"));
}

TEST_F(EventLogTest, SendsAtMostTenTimesASecondAndKeepsTheLastValue) {
  (void)log.listen({"job:a", "", 0});
  start("a");
  (void)heard("job:a");

  for (int i = 1; i <= 1000; ++i) {
    report("a", i);
    pass(1ms);
  }
  pass(1s);

  const auto frames = heard("job:a");
  EXPECT_LE(frames.size(), 12u);
  EXPECT_GE(frames.size(), 10u);
  EXPECT_THAT(frames.back()->text, HasSubstr(R"("done":1000,)"));
  EXPECT_FALSE(log.progress_due());
}

TEST_F(EventLogTest, PutsHeldBackProgressBeforeTheEnd) {
  (void)log.listen({"job:a", "", 0});
  start("a");
  report("a", 1);
  report("a", 2);

  end("a");

  const auto frames = heard("job:a");
  EXPECT_THAT(types(frames), ElementsAre("job.started", "job.progress",
                                         "job.progress", "job.succeeded"));
  EXPECT_THAT(frames[2]->text, HasSubstr(R"("done":2,)"));
}

TEST_F(EventLogTest, DropsProgressOfAClaimThatIsOver) {
  (void)log.listen({"job:a", "", 0});
  start("a", 1);
  log.add(event("a", job_event_type::queued, store::job_state::queued, 1), now);
  start("a", 2);
  (void)heard("job:a");

  report("a", 5, 1);
  const auto stale = heard("job:a");
  end("a", 2);
  (void)heard("job:a");
  report("a", 6, 2);
  pass(1s);

  EXPECT_THAT(stale, IsEmpty());
  EXPECT_THAT(heard("job:a"), IsEmpty());
}

TEST_F(EventLogTest, ResumesWithExactlyWhatWasMissed) {
  const auto first = log.listen({"jobs", "", 0});
  create("a");
  log.unlisten("jobs", now);
  for (int i = 0; i < 50; ++i)
    create("b" + std::to_string(i));

  (void)log.take_fresh();
  const auto again = log.listen({"jobs", "e1", first.offset + 1});

  EXPECT_TRUE(again.recovered);
  EXPECT_EQ(again.offset, first.offset + 51);
  ASSERT_THAT(again.missed, SizeIs(50));
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(again.missed[i]->offset, first.offset + 2 + i);
    EXPECT_EQ(again.missed[i]->subject, "b" + std::to_string(i));
  }
}

TEST_F(EventLogTest, RecoversNothingOfAnotherEpochOrOfTheFuture) {
  create("a");
  const auto at = log.listen({"jobs", "", 0}).offset;

  EXPECT_FALSE(log.listen({"jobs", "e0", at}).recovered);
  EXPECT_FALSE(log.listen({"jobs", "e1", at + 1}).recovered);
  EXPECT_TRUE(log.listen({"jobs", "e1", at}).recovered);
}

TEST_F(EventLogTest, KeepsSoManyEventsOfAJob) {
  settings.job_log = 4;
  event_log small{settings, "e1"};
  const auto at = small.listen({"job:a", "", 0}).offset;
  for (std::uint64_t claim = 1; claim <= 10; ++claim)
    small.add(
      event("a", job_event_type::started, store::job_state::running, claim),
      now);

  EXPECT_FALSE(small.listen({"job:a", "e1", at + 5}).recovered);
  const auto start = small.listen({"job:a", "e1", at + 6});
  EXPECT_TRUE(start.recovered);
  EXPECT_THAT(offsets(start.missed),
              ElementsAre(at + 7, at + 8, at + 9, at + 10));
}

TEST_F(EventLogTest, ForgetsATopicSomeTimeAfterItsEnd) {
  const auto at = log.listen({"job:a", "", 0}).offset;
  log.unlisten("job:a", now);
  create("a");
  end("a");

  pass(59s);
  const auto lingering = log.listen({"job:a", "e1", at});
  log.unlisten("job:a", now);
  pass(1s);
  const auto anew = log.listen({"job:a", "e1", at + 2});

  EXPECT_TRUE(lingering.recovered);
  EXPECT_FALSE(anew.recovered);
  EXPECT_GT(anew.offset, at + 2) << "an offset of its earlier life would fit";
}

TEST_F(EventLogTest, RecoversAClientThatCameBackBeforeTheFirstEvent) {
  const auto at = log.listen({"jobs", "", 0}).offset;
  log.unlisten("jobs", now);
  pass(59s);

  create("a");
  pass(300s);

  EXPECT_THAT(log.listen({"jobs", "e1", at}).missed, SizeIs(1));
}

TEST_F(EventLogTest, ForgetsATopicThatNeverHadAnEvent) {
  (void)log.listen({"job:a", "", 0});
  log.unlisten("job:a", now);
  const auto lingering = log.figures().topics;

  pass(60s);

  EXPECT_EQ(lingering, 1u);
  EXPECT_EQ(log.figures().topics, 0u);
  EXPECT_EQ(log.figures().log_bytes, 0u);
}

TEST_F(EventLogTest, KeepsTheTopicOfAJobThatIsRetried) {
  const auto at = log.listen({"job:a", "", 0}).offset;
  log.unlisten("job:a", now);
  log.add(event("a", job_event_type::failed, store::job_state::failed), now);
  pass(30s);
  log.add(event("a", job_event_type::queued, store::job_state::queued), now);

  pass(300s);

  EXPECT_THAT(log.listen({"job:a", "e1", at}).missed, SizeIs(2));
}

TEST_F(EventLogTest, EvictsTheOldestBeyondItsBytes) {
  settings.log_bytes = 256 * 1024;
  event_log small{settings, "e1"};
  const auto at = small.listen({"jobs", "", 0}).offset;
  small.unlisten("jobs", now);
  for (int i = 0; i < 2000; ++i) {
    auto made = job("j" + std::to_string(i), store::job_state::queued);
    made.params.assign(1000, ' ');
    small.add({job_event_type::created, now.wall, std::move(made)}, now);
    ASSERT_LE(small.figures().log_bytes, settings.log_bytes);
  }

  const auto last = small.listen({"jobs", "", 0}).offset;
  EXPECT_EQ(last, at + 2000);
  EXPECT_FALSE(small.listen({"jobs", "e1", at}).recovered);
  EXPECT_FALSE(small.listen({"job:j0", "e1", at}).recovered);
  EXPECT_TRUE(small.listen({"jobs", "e1", last - 20}).recovered);
  EXPECT_LT(small.figures().topics, 200u);
}

TEST_F(EventLogTest, KeepsListenersWhoseLogsDoNotFit) {
  settings.log_bytes = 100;
  event_log tiny{settings, "e1"};
  const auto at = tiny.listen({"job:a", "", 0}).offset;

  for (const auto state :
       {store::job_state::running, store::job_state::succeeded})
    tiny.add(event("a", job_event_type::queued, state), now);

  const auto fresh = tiny.take_fresh();
  ASSERT_THAT(fresh, SizeIs(1));
  EXPECT_THAT(offsets(fresh[0].frames), ElementsAre(at + 1, at + 2));
}

TEST_F(EventLogTest, GivesBackEveryByteOfWhatItForgets) {
  (void)log.listen({"job:a", "", 0});
  const auto before = log.figures();
  log.unlisten("job:a", now);
  settings.topic_log = 1;
  event_log small{settings, "e1"};

  for (int i = 0; i < 100; ++i) {
    const auto id = "j" + std::to_string(i);
    (void)small.listen({"job:" + id, "", 0});
    small.add(event(id, job_event_type::started, store::job_state::running, 1),
              now);
    small.report({id, "download", 1, {}}, now);
    (void)small.take_fresh();
    small.unlisten("job:" + id, now);
    small.add(
      event(id, job_event_type::succeeded, store::job_state::succeeded, 1),
      now);
  }
  now.steady += 61s;
  small.tick(now);
  small.tick(now);

  EXPECT_EQ(small.figures().topics, 2u) << "jobs and queue:download";
  EXPECT_LT(small.figures().log_bytes, 4000u);
  EXPECT_GT(small.figures().log_bytes, before.log_bytes);
  EXPECT_FALSE(small.end_due());
}

TEST_F(EventLogTest, DoesNotReplayMoreThanAClientMayHold) {
  settings.client_bytes = 64 * 1024;
  event_log small{settings, "e1"};
  const auto at = small.listen({"jobs", "", 0}).offset;
  for (int i = 0; i < 200; ++i)
    small.add(event("j", job_event_type::queued, store::job_state::queued),
              now);

  EXPECT_FALSE(small.listen({"jobs", "e1", at}).recovered);
  EXPECT_TRUE(small.listen({"jobs", "e1", at + 190}).recovered);
}

TEST(Topics, AreTakenApartAndRefused) {
  EXPECT_EQ(parse_topic("job:01J")->subject, "01J");
  EXPECT_EQ(parse_topic("owner:a:b")->subject, "a:b");
  EXPECT_EQ(parse_topic("jobs")->kind, topic_kind::jobs);
  for (const auto* bad : {"", "job:", "job", "jobs:x", "zebra", "job:a b",
                          "queue:\n", "streams "})
    EXPECT_FALSE(parse_topic(bad)) << bad;
  EXPECT_FALSE(parse_topic("job:" + std::string(65, 'x')));
  EXPECT_FALSE(parse_topic("owner:" + std::string(257, 'x')));
}

} // namespace
} // namespace troupe::actors
