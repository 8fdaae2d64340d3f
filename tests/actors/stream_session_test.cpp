#include "tests/actors/stream_manager_fixture.hpp"

namespace troupe::actors {
namespace {

using StreamSessionTest = StreamManagerTest;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(StreamSessionTest, TakesAStreamUpAgainAfterARestart) {
  start();
  const auto id = open_one();
  restart();
  EXPECT_THAT(list(), IsEmpty());
  fetch(id, stream_file::segment, "copy", 2);
  finish(0);

  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].value().bytes->bytes, "segment 2");
  EXPECT_THAT(types(), ElementsAre(job_event_type::stream_created,
                                   job_event_type::stream_recovered));
}

TEST_F(StreamSessionTest, ForgetsAStreamThatIsClosed) {
  start();
  const auto id = open_one();
  call(id, stream_call::kind::close);
  EXPECT_THAT(views.back().value().json, HasSubstr("\"state\":\"closed\""));
  fetch(id, stream_file::master);

  EXPECT_EQ(files.back().error().code, store::errc::not_found);
  EXPECT_THAT(records, IsEmpty());
  EXPECT_EQ(types().back(), job_event_type::stream_closed);
}

TEST_F(StreamSessionTest, EndsAStreamThatNobodyUses) {
  settings.idle_timeout_s = 600;
  start();
  open_one();
  advance_all(std::chrono::seconds{590});
  EXPECT_EQ(list().size(), 1u);
  for (int i = 0; i < 3; ++i)
    advance_all(std::chrono::seconds{20});

  EXPECT_THAT(list(), IsEmpty());
  EXPECT_THAT(records, IsEmpty());
}

TEST_F(StreamSessionTest, LivesAsLongAsItIsUsedAndNoLongerThanItMay) {
  settings.idle_timeout_s = 600;
  settings.max_age_s = 2000;
  start();
  const auto id = open_one();
  for (int i = 0; i < 3; ++i) {
    advance_all(std::chrono::seconds{500});
    fetch(id, stream_file::master);
    EXPECT_TRUE(files.back());
  }
  EXPECT_GT(records.at(id).expires_at, wall + 300'000);
  for (int i = 0; i < 40; ++i)
    advance_all(std::chrono::seconds{20});

  EXPECT_THAT(list(), IsEmpty());
}

TEST_F(StreamSessionTest, DoesNotTakeUpWhatHasExpired) {
  start();
  const auto id = open_one();
  restart();
  wall += a_day;
  fetch(id, stream_file::master);

  EXPECT_EQ(files.back().error().code, store::errc::not_found);
}
TEST_F(StreamSessionTest, AnswersTheSamePostWithTheSameStream) {
  start();
  open("local:///film.mkv", {}, "anna", {"scope", "hash"});
  finish(0);
  open("local:///film.mkv", {}, "anna", {"scope", "hash"});
  open("local:///film.mkv", {}, "anna", {"scope", "other"});

  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[1].value().id, views[0].value().id);
  EXPECT_TRUE(views[1].value().replayed);
  EXPECT_EQ(views[2].error().code, store::errc::idempotency_mismatch);
  EXPECT_EQ(list().size(), 1u);
}

TEST_F(StreamSessionTest, OpensAnotherForThePostOfOneThatIsClosed) {
  start();
  open("local:///film.mkv", {}, "anna", {"scope", "hash"});
  finish(0);
  const auto id = views[0].value().id;
  caf::anon_send(streams_, stream_call{stream_call::kind::close, id, {}, {}});
  open("local:///film.mkv", {}, "anna", {"scope", "hash"});

  ASSERT_EQ(views.size(), 2u);
  EXPECT_NE(views[1].value().id, id);
  EXPECT_FALSE(views[1].value().replayed);
  EXPECT_EQ(list().size(), 1u);
}

TEST_F(StreamSessionTest, ChangesWhatAStreamMayTake) {
  start();
  const auto id = open_one();
  stream_change change;
  change.max_height = 480;
  change.priority = 9;
  call(id, stream_call::kind::change, change);
  fetch(id, stream_file::master);

  EXPECT_THAT(views.back().value().json, HasSubstr("\"priority\":9"));
  EXPECT_EQ(files.back().value().text.find("copy/index.m3u8"),
            std::string::npos);
  EXPECT_THAT(records.at(id).wish, HasSubstr("480"));
}

TEST_F(StreamSessionTest, TellsThatItsPlayerRunsDry) {
  start();
  const auto id = open_one();
  fetch(id, stream_file::segment, "copy", 0);
  finish(1);
  advance_all(std::chrono::seconds{10});
  fetch(id, stream_file::segment, "copy", 1);
  finish(2);
  call(id, stream_call::kind::show);

  EXPECT_THAT(views.back().value().health, HasSubstr("\"stalls\":1"));
  EXPECT_THAT(views.back().value().health, HasSubstr("\"degraded\""));
  EXPECT_EQ(types().back(), job_event_type::stream_health);
}

TEST_F(StreamSessionTest, EndsWithAllThatItOwns) {
  start();
  const auto id = open_one();
  fetch(id, stream_file::segment, "copy", 0);
  caf::anon_send_exit(streams_, caf::exit_reason::user_shutdown);
  streams_ = nullptr;
  run();

  EXPECT_THAT(service.children, IsEmpty());
  ASSERT_EQ(files.size(), 1u);
  EXPECT_FALSE(files[0]);
}

} // namespace
} // namespace troupe::actors
