#include "net/stream_answer.hpp"
#include "net/stream_reader.hpp"

#include "media/errc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::net {

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct stream_reading : testing::Test {
  std::vector<std::string> pointers(std::string_view body) {
    std::vector<std::string> out;
    const auto read = read_stream_wish(body, guard);
    if (const auto* what = std::get_if<problem>(&read))
      for (const auto& each : what->errors)
        out.push_back(each.pointer);
    return out;
  }

  config::source_settings sources;
  media::address_guard guard{sources};
};

} // namespace

TEST_F(stream_reading, TakesAllThatAWishMaySay) {
  const auto read = read_stream_wish(
    R"({"source":"local:///a.mkv","mode":"transcode","max_height":720,
        "audio":1,"subtitle":null,"start_s":2.5,"priority":9,
        "max_bitrate":3000000,
        "client":{"video":["hvc1"],"audio":["ec-3"],"hdr":true}})",
    guard);

  const auto& wish = std::get<media::stream_wish>(read);
  EXPECT_EQ(wish.source, "local:///a.mkv");
  EXPECT_EQ(wish.mode, media::stream_mode::transcode);
  EXPECT_EQ(wish.max_height, 720u);
  EXPECT_EQ(wish.max_bitrate, 3'000'000u);
  EXPECT_EQ(wish.audio, 1u);
  EXPECT_FALSE(wish.subtitle);
  EXPECT_EQ(wish.start_s, 2.5);
  EXPECT_EQ(wish.priority, 9);
  EXPECT_THAT(wish.client.video, ElementsAre("hvc1"));
  EXPECT_TRUE(wish.client.hdr);
}

TEST_F(stream_reading, TellsAllThatIsWrong) {
  EXPECT_THAT(pointers("{}"), ElementsAre("/source"));
  EXPECT_THAT(pointers(R"({"source":"file:///a"})"), ElementsAre("/source"));
  EXPECT_THAT(pointers(R"({"source":"http://127.0.0.1/a"})"),
              ElementsAre("/source"));
  for (const auto* path : {"../a", "/etc/passwd", "a%00", "%2e%2e/a", ""})
    EXPECT_THAT(pointers(R"({"source":"local:///)" + std::string{path} + "\"}"),
                ElementsAre("/source"))
      << path;
  EXPECT_THAT(pointers(R"({"source":"job:a","mode":"x","start_s":-1,
                          "client":{"codec":1},"more":1})"),
              testing::UnorderedElementsAre("/mode", "/start_s",
                                            "/client/codec", "/more"));
}

TEST(stream_changing, TellsWhatIsNotSetFromWhatMayBeAny) {
  const auto read = read_stream_change(R"({"priority":3,"max_height":null})");
  const auto& change = std::get<actors::stream_change>(read);

  EXPECT_EQ(change.priority, 3);
  EXPECT_EQ(change.max_height, 0u);
  EXPECT_FALSE(change.max_bitrate);
}

TEST(stream_paths, NameFilesInOneWay) {
  EXPECT_EQ(read_rendition_file("12.m4s")->number, 12u);
  EXPECT_EQ(read_rendition_file("0.vtt")->what, actors::stream_file::segment);
  EXPECT_EQ(read_rendition_file("init.mp4")->what, actors::stream_file::init);
  for (const auto* wrong :
       {"", ".m4s", "01.m4s", "1.mp4", "-1.m4s", "1 .m4s", "99999999999.m4s",
        "x.m4s", "1.m4s.m4s", "index.m3u8x"})
    EXPECT_FALSE(read_rendition_file(wrong)) << wrong;
  EXPECT_EQ(read_stream_name("01AB.sig_-")->signature, "sig_-");
  EXPECT_FALSE(read_stream_name("01AB"));
  EXPECT_FALSE(read_stream_name(".sig"));
  EXPECT_FALSE(read_stream_name("a%2f.sig"));
}

TEST(stream_refusals, AskToComeAgainForWhatIsBeingMade) {
  const auto late = stream_refusal(fail(actors::errc::deadline));
  const auto killed = stream_refusal(fail(media::errc::killed, "by somebody"));
  const auto full =
    stream_refusal(failure{{5, actors::overload_category()}, "too many"});

  for (const auto& each : {late, full, killed}) {
    EXPECT_EQ(each.status, 503u);
    EXPECT_TRUE(std::ranges::any_of(each.headers, [](const auto& field) {
      return field.first == "Retry-After";
    }));
  }
  EXPECT_THAT(full.body, HasSubstr("too many"));
  EXPECT_THAT(killed.body, HasSubstr("by somebody"));
  EXPECT_THAT(killed.body, Not(HasSubstr("/source")));
  EXPECT_EQ(stream_refusal(fail(media::errc::source_not_found)).status, 404u);
  const auto track = stream_refusal(
    fail(media::errc::bad_params, "audio: there is no such track"));
  EXPECT_THAT(
    track.body,
    HasSubstr(R"({"pointer":"/audio","detail":"there is no such track")"));
  EXPECT_THAT(
    stream_refusal(fail(media::errc::bad_params, "the source is: odd")).body,
    HasSubstr(R"("pointer":"/source")"));
  EXPECT_EQ(stream_refusal(fail(media::errc::invalid_media)).status, 422u);
  EXPECT_EQ(stream_refusal(fail(media::errc::crashed)).status, 422u);
}

} // namespace troupe::net
