#include "tests/actors/stream_manager_fixture.hpp"

namespace troupe::actors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(StreamManagerTest, OpensAStreamWithSignedUrls) {
  start();
  open();
  ASSERT_TRUE(views.empty());
  finish(0);

  ASSERT_EQ(views.size(), 1u);
  const auto& view = views[0].value();
  const auto base = "/s/" + view.id + '.' + service.signer().sign(view.id);
  EXPECT_THAT(view.json, HasSubstr("\"hls_url\":\"" + base + "/master.m3u8\""));
  EXPECT_THAT(view.json, HasSubstr("\"state\":\"active\""));
  EXPECT_THAT(view.json, HasSubstr("\"duration_s\":20"));
  EXPECT_THAT(types(), ElementsAre(job_event_type::stream_created));
  EXPECT_EQ(records.count(view.id), 1u);
}

TEST_F(StreamManagerTest, ReadsTheIndexOfASourceOnce) {
  start();
  open_one();
  open_one();

  EXPECT_EQ(service.tasks.size(), 1u);
  EXPECT_EQ(list().size(), 2u);
}

TEST_F(StreamManagerTest, TellsWhyASourceCannotBeOpened) {
  start();
  open("local:///missing.mkv");

  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].error().code, media::errc::source_not_found);
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_THAT(records, IsEmpty());
}

TEST_F(StreamManagerTest, GivesUpAnIndexThatTakesTooLong) {
  start();
  open();
  advance_all(std::chrono::seconds{21});

  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].error().code, errc::deadline);
  EXPECT_THAT(list(), IsEmpty());
}

TEST_F(StreamManagerTest, OpensAStreamThoughTheStoreIsAway) {
  store_away = true;
  start();
  open_one();

  EXPECT_EQ(list().size(), 1u);
}

TEST_F(StreamManagerTest, ServesPlaylistsAndSegments) {
  start();
  const auto id = open_one();
  fetch(id, stream_file::master);
  fetch(id, stream_file::playlist, "copy");
  fetch(id, stream_file::segment, "copy", 1);
  ASSERT_EQ(files.size(), 2u);
  finish(1);
  fetch(id, stream_file::init, "copy");
  fetch(id, stream_file::segment, "copy", 1);

  ASSERT_EQ(files.size(), 5u);
  EXPECT_THAT(files[0].value().text, HasSubstr("copy/index.m3u8"));
  EXPECT_THAT(files[1].value().text, HasSubstr("3.m4s"));
  EXPECT_EQ(files[2].value().bytes->bytes, "segment 1");
  EXPECT_TRUE(files[2].value().made);
  EXPECT_EQ(files[3].value().bytes->bytes, "init");
  EXPECT_FALSE(files[4].value().made);
  EXPECT_EQ(service.tasks.size(), 2u);
}

TEST_F(StreamManagerTest, KnowsNoFilesThatItHasNot) {
  start();
  const auto id = open_one();
  fetch(id, stream_file::segment, "copy", 4);
  fetch(id, stream_file::segment, "v1", 0);
  fetch(id, stream_file::init, "s3");
  fetch("another", stream_file::master);

  ASSERT_EQ(files.size(), 4u);
  for (const auto& each : files)
    EXPECT_EQ(each.error().code, store::errc::not_found);
}

TEST_F(StreamManagerTest, AnswersWhatCrossesTheEndOfAStream) {
  start();
  const auto id = open_one();
  std::vector<result<stream_file_reply>> heard;
  wall += static_cast<timestamp_ms>(settings.idle_timeout_s * 1000) / 2;
  caf::anon_send(streams_, stream_call{stream_call::kind::close, id, {}, {}});
  caf::anon_send(streams_, stream_fetch{{id, stream_file::master, {}, 0, {}},
                                        answer<stream_file_reply>{[&](auto it) {
                                          heard.push_back(std::move(it));
                                        }}});
  run();
  fetch(id, stream_file::master);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].error().code, store::errc::not_found);
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].error().code, store::errc::not_found);
  EXPECT_THAT(list(), IsEmpty());
  EXPECT_THAT(records, IsEmpty());
}

TEST_F(StreamManagerTest, MakesTheInitBySegmentsThatFollow) {
  start();
  const auto id = open_one();
  fetch(id, stream_file::init, "copy");
  ASSERT_EQ(service.tasks.size(), 2u);
  finish(1);
  fetch(id, stream_file::segment, "copy", 0);

  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].value().bytes->bytes, "init");
  EXPECT_EQ(files[1].value().bytes->bytes, "segment 0");
  EXPECT_EQ(service.tasks.size(), 2u);
}

TEST_F(StreamManagerTest, FindsOnDiskWhatMemoryHasLost) {
  start();
  media::stream_wish wish;
  open("local:///film.mkv", media::stream_mode::transcode);
  finish(0);
  const auto id = views.back().value().id;
  fetch(id, stream_file::segment, "v720", 0);
  finish(1);
  service.memory.clear();
  const auto before = service.tasks.size();
  fetch(id, stream_file::segment, "v720", 0);

  ASSERT_EQ(files.size(), 2u);
  EXPECT_FALSE(files[1].value().made);
  EXPECT_EQ(service.tasks.size(), before);
}

TEST_F(StreamManagerTest, EncodesNothingTwiceForTwoWhoWatch) {
  start();
  open("local:///film.mkv", media::stream_mode::transcode);
  finish(0);
  const auto one = views.back().value().id;
  open("local:///film.mkv", media::stream_mode::transcode);
  const auto two = views.back().value().id;
  fetch(one, stream_file::segment, "v720", 0);
  fetch(two, stream_file::segment, "v720", 8);
  std::set<std::uint32_t> made;
  for (std::size_t i = 1; i < service.tasks.size(); ++i) {
    EXPECT_TRUE(made.insert(service.tasks[i].order.sequence).second);
    finish(i);
  }

  EXPECT_EQ(made.size(), 12u);
  EXPECT_EQ(files.size(), 2u);
}
TEST_F(StreamManagerTest, OpensNoMoreThanThereMayBe) {
  settings.max_sessions = 2;
  settings.max_per_owner = 1;
  start();
  open_one();
  open("local:///film.mkv", {}, "anna");
  EXPECT_EQ(views.back().error().code.category(), overload_category());
  open("local:///film.mkv", {}, "bert");
  EXPECT_TRUE(views.back());
  open("local:///film.mkv", {}, "carl");
  EXPECT_EQ(views.back().error().code.category(), overload_category());
}

TEST_F(StreamManagerTest, PromisesNoMoreThanTheBandwidth) {
  settings.bandwidth_mbit = 1;
  start();
  open_one();
  open("local:///film.mkv", {}, "bert");
  EXPECT_EQ(views.back().error().code.category(), overload_category());

  advance_all(std::chrono::seconds{90});
  open("local:///film.mkv", {}, "bert");

  EXPECT_TRUE(views.back());
}

} // namespace
} // namespace troupe::actors
