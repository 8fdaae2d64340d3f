#include "media/probe/facts.hpp"
#include "media/probe/source_file.hpp"
#include "tests/media/child/children_fixture.hpp"
#include "tests/media/temporary_folder.hpp"

#include <boost/json/parse.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// One second of a test picture and a tone, by ffmpeg.
void make_clip(const fs::path& to, const std::string& how) {
  const auto command = "ffmpeg -v error -y -nostdin "
                       "-f lavfi -i testsrc=duration=1:size=128x72:rate=25 "
                       "-f lavfi -i sine=duration=1:sample_rate=48000 "
                       + how + " '" + to.string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

class Probe : public Children {
protected:
  child_end probe(const fs::path& path) {
    auto file = open_media_file(path);
    if (!file)
      return {errc::none, file.error().message(), "unopened", {}, {}};
    return run(probe_task(std::move(*file)));
  }

  json::object facts(const fs::path& path) {
    const auto end = probe(path);
    EXPECT_EQ(end.code, errc::none) << end.message;
    return end.code == errc::none ? json::parse(end.result).as_object()
                                  : json::object{};
  }

  fs::path path(const char* name) const {
    return folder_.path() / name;
  }

  temporary_folder folder_;
};

TEST_F(Probe, TellsAnMp4ByItsRealParameters) {
  make_clip(path("a.mp4"),
            "-c:v libx264 -profile:v high -level 3.0 -pix_fmt yuv420p -c:a aac "
            "-metadata title=Tëst -metadata:s:a language=deu");

  const auto all = facts(path("a.mp4"));

  EXPECT_EQ(all.at("container"), "mp4");
  EXPECT_NEAR(all.at("duration_s").to_number<double>(), 1, 0.1);
  EXPECT_EQ(all.at("size").to_number<std::uintmax_t>(),
            fs::file_size(path("a.mp4")));
  EXPECT_GT(all.at("bitrate").to_number<int>(), 0);
  EXPECT_EQ(all.at("tags").at("title"), "Tëst");
  EXPECT_EQ(all.at("cover"), false);
  EXPECT_NE(probe(path("a.mp4")).result.find(R"("fps":25,)"),
            std::string::npos);
  const auto& video = all.at("streams").at(0);
  EXPECT_EQ(video.at("codec"), "h264");
  EXPECT_EQ(video.at("codecs"), "avc1.64001E");
  EXPECT_EQ(video.at("width"), 128);
  EXPECT_EQ(video.at("height"), 72);
  EXPECT_EQ(video.at("fps").to_number<double>(), 25);
  EXPECT_EQ(video.at("pixel_format"), "yuv420p");
  EXPECT_TRUE(video.at("hdr").is_null());
  EXPECT_EQ(video.at("rotation"), 0);
  const auto& audio = all.at("streams").at(1);
  EXPECT_EQ(audio.at("codecs"), "mp4a.40.2");
  EXPECT_EQ(audio.at("sample_rate"), 48000);
  EXPECT_EQ(audio.at("language"), "deu");
  EXPECT_EQ(audio.at("disposition").at(0), "default");
}

TEST_F(Probe, TellsHowFarAPictureIsTurned) {
  make_clip(path("a.mp4"), "-c:v libx264 -c:a aac");
  const auto turn = "ffmpeg -v error -nostdin -i " + path("a.mp4").string()
                    + " -c copy -metadata:s:v rotate=90 "
                    + path("turned.mp4").string();
  ASSERT_EQ(std::system(turn.c_str()), 0);
  const auto look = "ffprobe -v error -select_streams v -show_entries "
                    "stream_side_data=rotation -of csv=p=0 "
                    + path("turned.mp4").string() + " > "
                    + path("told").string();
  ASSERT_EQ(std::system(look.c_str()), 0);
  const auto told = std::stoi(bytes_of(path("told")));

  const auto all = facts(path("turned.mp4"));

  // ffprobe counts counterclockwise.
  EXPECT_EQ(std::abs(told), 90);
  EXPECT_EQ(all.at("streams").at(0).at("rotation"), (360 - told) % 360);
}

TEST_F(Probe, TellsMatroskaFromWebm) {
  make_clip(path("a.mkv"), "-c:v libx264 -c:a flac");
  make_clip(path("b.webm"), "-c:v libvpx-vp9 -deadline realtime -c:a libopus");

  EXPECT_EQ(facts(path("a.mkv")).at("container"), "mkv");
  const auto webm = facts(path("b.webm"));
  EXPECT_EQ(webm.at("container"), "webm");
  EXPECT_EQ(webm.at("streams").at(1).at("codecs"), "opus");
}

TEST_F(Probe, OpensNothingElseForAPlaylistOrAScriptInDisguise) {
  make_clip(path("other.mp4"), "-c:v libx264 -c:a aac");
  std::ofstream{path("list.mp4")}
    << "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
    << path("other.mp4").string() << "\n#EXT-X-ENDLIST\n";
  std::ofstream{path("script.mp4")}
    << "ffconcat version 1.0\nfile 'other.mp4'\n";

  EXPECT_EQ(probe(path("list.mp4")).code, errc::invalid_media);
  EXPECT_EQ(probe(path("script.mp4")).code, errc::invalid_media);
}

TEST_F(Probe, TakesOnlyRegularFilesThatHoldMedia) {
  std::ofstream{path("empty")};
  std::ofstream{path("words.mp4")} << "These are words, and no film.";
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  std::ofstream{path("sparse.mp4")};
  fs::resize_file(path("sparse.mp4"), std::uintmax_t{1} << 42);

  EXPECT_EQ(probe(path("empty")).code, errc::invalid_media);
  EXPECT_EQ(probe(path("words.mp4")).code, errc::invalid_media);
  EXPECT_EQ(probe(path("sparse.mp4")).code, errc::invalid_media);
  for (const auto& odd : {path("fifo"), folder_.path(), fs::path{"/dev/zero"}})
    EXPECT_EQ(open_media_file(odd).error().code, errc::invalid_media) << odd;
  EXPECT_EQ(open_media_file(path("none")).error().code, errc::source_not_found);
}

/// Whatever the bytes are, each task has one end, and nothing is left behind.
TEST_F(Probe, MutatedFilesOfTenContainersHarmNobody) {
  const std::pair<const char*, const char*> kinds[]{
    {"a.mp4", "-c:v libx264 -c:a aac"},
    {"a.mkv", "-c:v libx264 -c:a ac3"},
    {"a.webm", "-c:v libvpx -deadline realtime -c:a libvorbis"},
    {"a.ts", "-c:v libx264 -c:a aac"},
    {"a.avi", "-c:v mpeg4 -c:a mp3"},
    {"a.flv", "-c:v flv -c:a mp3 -ar 44100"},
    {"a.mpg", "-c:v mpeg2video -c:a mp2"},
    {"a.ogg", "-vn -c:a libvorbis"},
    {"a.mp3", "-vn -c:a mp3"},
    {"a.wmv", "-c:v wmv2 -c:a wmav2"}};
  std::mt19937 random{4};
  one_task seat;
  seat.child = children_.open(child_life::lasting);
  ASSERT_NE(zygote(), 0);
  const auto before = open_descriptors();
  const int rounds = TROUPE_TEST_MUTATIONS / static_cast<int>(std::size(kinds));

  for (const auto& [name, how] : kinds) {
    make_clip(path(name), how);
    const auto good = bytes_of(path(name));
    for (int i = 0; i < rounds; ++i) {
      auto bad = good;
      for (int flips = 1 + static_cast<int>(random() % 60); flips > 0; --flips)
        bad[random() % (i % 2 == 0 ? 2048 : bad.size()) % bad.size()] =
          static_cast<char>(random());
      if (i % 5 == 0)
        bad.resize(random() % bad.size());
      std::ofstream{path("bad"), std::ios::binary} << bad;
      auto file = open_media_file(path("bad"));
      ASSERT_TRUE(file);
      give(seat, probe_task(std::move(*file)));
      const auto end = seat.wait();
      EXPECT_NE(end.code, errc::internal) << end.message;
      EXPECT_NE(end.code, errc::sandbox) << end.message;
    }
  }

  seat.child.reset();
  EXPECT_TRUE(comes([this] { return children_.count() == 0; }));
  EXPECT_LE(open_descriptors(), before);
  EXPECT_EQ(zombie(), "");
}

} // namespace troupe::media
