#include "media/stream/playlist.hpp"
#include "media/stream/signer.hpp"
#include "media/stream/webvtt.hpp"
#include "tests/media/stream/stream_fixture.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <sstream>

namespace troupe::media {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

TEST(PlaylistTest, NamesEveryVariantAndItsGroups) {
  const auto plan = plan_of({}).value();
  const auto text = master_playlist(*plan);

  EXPECT_TRUE(text.starts_with("#EXTM3U\n"));
  EXPECT_THAT(text, HasSubstr("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\","
                              "NAME=\"eng (1)\",LANGUAGE=\"eng\",DEFAULT=YES"));
  EXPECT_THAT(text, HasSubstr("NAME=\"deu (2)\",LANGUAGE=\"deu\",DEFAULT=NO"));
  EXPECT_THAT(text, HasSubstr("TYPE=SUBTITLES,GROUP-ID=\"text\""));
  EXPECT_THAT(text, HasSubstr("CODECS=\"avc1.640028,mp4a.40.2\","
                              "RESOLUTION=1920x1080,FRAME-RATE=25.000,"
                              "AUDIO=\"audio\",SUBTITLES=\"text\"\n"
                              "copy/index.m3u8\n"));
  EXPECT_THAT(text, Not(HasSubstr("EXT-X-START")));
}

TEST(PlaylistTest, TellsNoCodecsWhereOneIsUnknown) {
  auto index = film();
  index.tracks[1].codecs.clear();
  stream_wish wish;
  wish.audio = 0;
  const auto plan = plan_of(wish, index).value();
  auto unknown = *plan;
  auto audio = std::make_shared<stream_line>(*plan->audio.front());
  audio->codecs.clear();
  unknown.audio = {audio};

  EXPECT_THAT(master_playlist(unknown), Not(HasSubstr("CODECS")));
}

TEST(PlaylistTest, KnowsEverySegmentFromTheStart) {
  const auto plan = plan_of({}).value();
  const auto& copy = *plan->find("copy");
  const auto lines = lines_of(media_playlist(*plan, copy));

  EXPECT_EQ(lines.back(), "#EXT-X-ENDLIST");
  EXPECT_THAT(lines, ::testing::Contains("#EXT-X-TARGETDURATION:6"));
  EXPECT_THAT(lines, ::testing::Contains("#EXT-X-MAP:URI=\"init.mp4\""));
  double sum = 0;
  std::uint32_t segments = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("#EXTINF:"))
      continue;
    sum += std::stod(lines[i].substr(8));
    EXPECT_EQ(lines[i + 1], std::to_string(segments++) + ".m4s");
  }
  EXPECT_EQ(segments, copy.segments());
  EXPECT_NEAR(sum, 20, 1e-6);
}

TEST(PlaylistTest, HasOneTargetDurationThatNoSegmentExceeds) {
  const auto plan = plan_of({}).value();
  for (const auto* lines : {&plan->video, &plan->audio, &plan->text})
    for (const auto& each : *lines) {
      EXPECT_THAT(media_playlist(*plan, *each),
                  HasSubstr("#EXT-X-TARGETDURATION:6\n"));
      for (std::uint32_t n = 0; n < each->segments(); ++n)
        EXPECT_LT(each->begin_s(n + 1) - each->begin_s(n), 6.5);
    }
}

TEST(PlaylistTest, BeginsWhereItWasAskedTo) {
  stream_wish wish;
  wish.start_s = 7.5;
  EXPECT_THAT(master_playlist(*plan_of(wish).value()),
              HasSubstr("#EXT-X-START:TIME-OFFSET=7.500\n"));
}

TEST(PlaylistTest, HoldsNoTitleThatBreaksALine) {
  auto index = film();
  index.tracks[1].title = "a \"b\"\n#EXT-X-ENDLIST";
  const auto text = master_playlist(*plan_of({}, index).value());

  EXPECT_THAT(text, HasSubstr("NAME=\"a 'b' #EXT-X-ENDLIST (1)\""));
}

TEST(WebvttTest, CutsTheCuesThatAreShown) {
  const std::string file = "WEBVTT\n\nSTYLE\n::cue { color: red }\n\n"
                           "00:01.000 --> 00:03.000\nfirst\n\n"
                           "2\n00:00:05.500 --> 00:00:09.000 align:left\n"
                           "second\nline\n\n"
                           "01:00:00.000 --> 01:00:01.000\nlast\n";

  const auto cut = cut_webvtt(file, 2, 6);

  EXPECT_TRUE(cut.starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,"));
  EXPECT_THAT(cut, HasSubstr("color: red"));
  EXPECT_THAT(cut, HasSubstr("first"));
  EXPECT_THAT(cut, HasSubstr("2\n00:00:05.500 --> 00:00:09.000 align:left\n"
                             "second\nline\n"));
  EXPECT_THAT(cut, Not(HasSubstr("last")));
  EXPECT_THAT(cut_webvtt(file, 3600, 3601), HasSubstr("last"));
  EXPECT_THAT(cut_webvtt(file, 3, 5), Not(HasSubstr("-->")));
}

TEST(StreamSignerTest, KnowsItsOwnSignatures) {
  const stream_signer old{{"an old key"}};
  const stream_signer both{{"a new key", "an old key"}};

  EXPECT_TRUE(both.is_good("id", both.sign("id")));
  EXPECT_TRUE(both.is_good("id", old.sign("id")));
  EXPECT_FALSE(old.is_good("id", both.sign("id")));
  EXPECT_FALSE(both.is_good("other", both.sign("id")));
  EXPECT_FALSE(both.is_good("id", ""));
  EXPECT_FALSE(both.is_good("id", both.sign("id") + "A"));
}

TEST(StreamSignerTest, KeepsTheKeyThatItMakes) {
  const temporary_folder folder;
  const auto file = folder.path() / "stream.key";

  const auto made = load_stream_keys({}, file).value();
  const auto again = load_stream_keys({}, file).value();
  const auto given = load_stream_keys({"00ff"}, file).value();

  EXPECT_EQ(made, again);
  EXPECT_EQ(made.front().size(), 32u);
  EXPECT_EQ(given, std::vector{std::string("\0\xff", 2)});
  struct stat is {};
  ASSERT_EQ(::stat(file.c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777, 0600u);
}

} // namespace
} // namespace troupe::media
