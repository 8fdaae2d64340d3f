#include "media/download/command.hpp"
#include "media/download/json_read.hpp"
#include "media/download/manifest.hpp"
#include "media/download/source_info.hpp"
#include "media/download/source_state.hpp"
#include "media/download/tool_check.hpp"
#include "media/download/work_files.hpp"
#include "media/probe/facts.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace troupe::media {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view merged = R"({"_type": "video", "id": "x1",
  "title": "T", "uploader": null, "channel": "C", "duration": 12.5,
  "webpage_url": "https://e.org/v", "ext": "mp4", "height": 720,
  "is_live": false, "formats": [
    {"format_id": "137", "url": "https://c.org/v", "http_headers": {"A": "b"}},
    {"format_id": "140", "url": "https://c.org/a", "http_headers": {}}],
  "requested_formats": [
    {"format_id": "137", "url": "https://c.org/v", "protocol": "https",
     "filesize": 800, "http_headers": {"User-Agent": "U"}},
    {"format_id": "140", "url": "https://c.org/a", "protocol": "https"}],
  "http_headers": {"Cookie": "secret"}, "epoch": 1})";

errc code_of_read(std::string_view json) {
  const auto read = read_source_info(json);
  return read ? errc::none : static_cast<errc>(read.error().code.value());
}

TEST(SourceInfo, PicksTheChosenFormats) {
  const auto info = read_source_info(merged);

  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->title, "T");
  EXPECT_EQ(info->uploader, "C");
  EXPECT_EQ(info->names.height, "720");
  ASSERT_EQ(info->formats.size(), 2u);
  EXPECT_EQ(info->formats[0].size, 800);
  EXPECT_EQ(info->formats[1].size, -1);
  EXPECT_TRUE(info->formats[0].plain());
  EXPECT_THAT(info->formats[0].headers,
              testing::ElementsAre(testing::Pair("User-Agent", "U")));
}

TEST(SourceInfo, FallsBackOnTheHostForAnUploader) {
  const auto info = read_source_info(
    R"({"id": "a", "title": "t", "webpage_url": "http://E.org:81/a.mp4",
        "url": "http://e.org/a.mp4", "protocol": "http", "format_id": "0"})");

  ASSERT_TRUE(info);
  EXPECT_EQ(info->uploader, "e.org");
  EXPECT_EQ(info->formats.size(), 1u);
}

TEST(SourceInfo, RefusesListsLiveAndForeignProtocols) {
  EXPECT_EQ(code_of_read(R"({"_type": "playlist", "playlist_count": 9,
                             "entries": [{"url": "https://e.org/1"}]})"),
            errc::is_playlist);
  EXPECT_EQ(code_of_read(R"({"_type": "playlist", "entries": []})"),
            errc::is_playlist);
  EXPECT_EQ(code_of_read(R"({"id": "a", "is_live": true})"), errc::is_live);
  EXPECT_EQ(code_of_read(R"({"id": "a", "live_status": "is_upcoming"})"),
            errc::is_live);
  EXPECT_EQ(code_of_read(R"({"id": "a", "protocol": "rtmp"})"),
            errc::unsupported_url);
  EXPECT_EQ(code_of_read(R"({"id": "a", "protocol": "file"})"),
            errc::unsupported_url);
  for (const std::string_view text : {"", "null", "[]", "{", "7"})
    EXPECT_EQ(code_of_read(text), errc::tool_failed) << text;
}

TEST(SourceInfo, FollowsAListOfOne) {
  const auto info =
    read_source_info(R"({"_type": "playlist", "playlist_count": 1, "entries":
                         [{"_type": "url", "url": "https://e.org/1"}]})");

  ASSERT_TRUE(info);
  EXPECT_EQ(info->only_entry, "https://e.org/1");
}

TEST(SourceInfo, AsksForTheVersionThatWasLookedAt) {
  const auto text = with_if_range(merged, {{"137", "\"v1\""}});

  const auto info = parse_object(text);
  ASSERT_TRUE(info);
  const auto& formats = *array_of(*info, "formats");
  EXPECT_EQ(formats[0].at("http_headers").at("If-Range").as_string(), "\"v1\"");
  EXPECT_FALSE(formats[1].at("http_headers").as_object().contains("If-Range"));
}

TEST(SourceInfo, KeepsNoSecretsBesideTheFile) {
  const auto kept = lasting_info(merged);

  EXPECT_THAT(kept, HasSubstr("\"title\":\"T\""));
  for (const auto* secret : {"secret", "c.org", "epoch", "http_headers"})
    EXPECT_THAT(kept, Not(HasSubstr(secret)));
}

TEST(SourceInfo, KeepsNoPasswordOfAUrlBesideTheFile) {
  const auto kept =
    lasting_info(R"({"title":"T","webpage_url":"https://ann:word@e.org/v"})");

  EXPECT_THAT(kept, HasSubstr(R"("webpage_url":"https://***@e.org/v")"));
}

TEST(ExtractAnswer, BoundsItsLists) {
  std::string text = R"({"title": "L", "entries": [)";
  for (int i = 0; i < 1500; ++i)
    text += (i ? "," : "") + std::string{R"({"title": "e", "url": "u"})"};
  text += "]}";

  const auto answer = extract_answer(text);

  ASSERT_TRUE(answer);
  const auto read = parse_object(*answer);
  EXPECT_EQ(array_of(*read, "entries")->size(), 1000u);
  EXPECT_TRUE(read->at("duration").is_null());
  EXPECT_TRUE(array_of(*read, "formats")->empty());
}

TEST(ExtractAnswer, TellsFiguresPlainly) {
  const auto answer = extract_answer(
    R"({"title": "V", "duration": 60.0, "formats": [
        {"format_id": "a", "fps": 25.0, "tbr": 2.9970e1}]})");

  ASSERT_TRUE(answer);
  EXPECT_THAT(*answer, HasSubstr(R"("duration":60,)"));
  EXPECT_THAT(*answer, HasSubstr(R"("fps":25,"tbr":29.97)"));
}

TEST(SourceState, ContinuesOnlyWhatIsVouchedForAndUnchanged) {
  const source_state before{
    "s", {{"137", 800, "\"e\"", ""}, {"140", 200, "", "Sun, 22 Nov 2026"}}};
  EXPECT_EQ(read_source_state(to_json(before)), before);
  EXPECT_TRUE(may_continue(before, before));

  for (const auto& change : std::vector<source_state>{
         {"other", before.parts},
         {"s", {before.parts[0]}},
         {"s", {before.parts[0], {"140", 201, "", "Sun, 22 Nov 2026"}}},
         {"s", {{"137", 800, "\"f\"", ""}, before.parts[1]}},
         {"s", {{"136", 800, "\"e\"", ""}, before.parts[1]}}})
    EXPECT_FALSE(may_continue(before, change)) << to_json(change);

  const source_state unvouched{"s", {{"0", 800, "", ""}}};
  EXPECT_FALSE(may_continue(unvouched, unvouched));
  EXPECT_FALSE(may_continue({"s", {}}, {"s", {}}));
  for (const std::string_view text : {"", "{}", "null", R"({"parts": [1]})"})
    EXPECT_FALSE(read_source_state(text)) << text;
}

TEST(Manifest, TellsLiveFromWholeAndTheFirstSegment) {
  const std::string head = "#EXTM3U\r\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n";

  const auto whole = read_manifest(head + "seg/0.ts?a=1\n#EXT-X-ENDLIST\n",
                                   "http://e.org/a/b.m3u8?x");
  EXPECT_FALSE(whole.live);
  EXPECT_EQ(whole.first_segment, "http://e.org/a/seg/0.ts?a=1");
  EXPECT_TRUE(read_manifest(head + "0.ts\n", "http://e.org/b").live);
  EXPECT_FALSE(read_manifest("<MPD/>", "http://e.org/b").live);
  EXPECT_FALSE(
    read_manifest("#EXTM3U\n#EXT-X-STREAM-INF:\nv.m3u8\n", "http://e.org/b")
      .live);
}

ytdlp_call a_call() {
  return {{"/usr/bin/python3", "-I", "/usr/bin/yt-dlp"},
          "/usr/bin/ffmpeg",
          "http://t:x@127.0.0.1:1",
          "/w/cookies.txt"};
}

TEST(Command, LooksWithoutFetching) {
  const auto argv = extract_command(a_call(), "--exec=evil", "b", "", 1);

  EXPECT_THAT(argv, Contains("--ignore-config"));
  EXPECT_THAT(argv, Contains("--dump-single-json"));
  ASSERT_GE(argv.size(), 2u);
  EXPECT_EQ(argv[argv.size() - 2], "--");
  EXPECT_EQ(argv.back(), "--exec=evil");
}

TEST(Command, FetchesWithTheAllowedArgumentsAlone) {
  download_params params;
  params.quality = "720p";
  params.format = download_format::mp4;
  params.subtitles = {"en", "de"};
  params.embed_metadata = params.embed_chapters = true;
  params.max_filesize = 99;

  const auto argv = fetch_command(a_call(), params, "/w/info.json");

  for (const auto* wanted :
       {"--ignore-config", "--no-playlist", "--abort-on-unavailable-fragments",
        "--newline", "--proxy", "--no-mtime", "media.%(ext)s", "en,de", "99",
        "--remux-video", "--embed-metadata", "--embed-chapters"})
    EXPECT_THAT(argv, Contains(wanted));
  EXPECT_THAT(argv, Not(Contains("--recode-video")));
  EXPECT_THAT(argv, Not(Contains("--extract-audio")));
  EXPECT_THAT(argv, Not(Contains("--exec")));
}

TEST(Command, RunsAScriptInAnIsolatedPython) {
  const temporary_folder folder;
  const auto script = folder.path() / "yt-dlp";
  std::ofstream{script} << "#!/usr/bin/env python3\nprint(1)\n";
  const auto binary = folder.path() / "frozen";
  std::ofstream{binary} << "\x7f"
                           "ELF";

  EXPECT_THAT(launcher_of(script, "/usr/bin/python3"),
              testing::ElementsAre("/usr/bin/python3", "-I", script.string()));
  EXPECT_THAT(launcher_of(binary, "/usr/bin/python3"),
              testing::ElementsAre(binary.string()));
}

struct work_fixture : testing::Test {
  std::filesystem::path add(const std::string& name, std::size_t size = 10) {
    std::ofstream{folder.path() / name} << std::string(size, 'x');
    return folder.path() / name;
  }
  bool has(const std::string& name) {
    return std::filesystem::exists(folder.path() / name);
  }
  temporary_folder folder;
};

using WorkFiles = work_fixture;

TEST_F(WorkFiles, KeepOnlyWhatCanBeContinued) {
  for (const auto* name :
       {"media.mp4.part", "media.mp4.ytdl", "media.f137.mp4", "media.temp.mp4",
        "media.mkv", "media.jpg", "media.f140.m4a.part", "info.json", "lock"})
    add(name);

  EXPECT_TRUE(work::drop_parts(folder.path(), true, -1));

  for (const auto* kept : {"media.mp4.part", "media.mp4.ytdl", "media.f137.mp4",
                           "media.f140.m4a.part", "info.json", "lock"})
    EXPECT_TRUE(has(kept)) << kept;
  for (const auto* gone : {"media.temp.mp4", "media.mkv", "media.jpg"})
    EXPECT_FALSE(has(gone)) << gone;
}

TEST_F(WorkFiles, DropAHalfMadeConversionButNotTheWholeFile) {
  add("media.webm", 500);
  add("media.mkv", 123);

  EXPECT_TRUE(work::drop_parts(folder.path(), true, 500));

  EXPECT_TRUE(has("media.webm"));
  EXPECT_FALSE(has("media.mkv"));
}

TEST_F(WorkFiles, DropEverythingWhenTheSourceChanged) {
  add("media.mp4.part");
  add("media.f137.mp4");

  EXPECT_FALSE(work::drop_parts(folder.path(), false, 10));

  EXPECT_FALSE(has("media.mp4.part") || has("media.f137.mp4"));
}

TEST_F(WorkFiles, FindTheMediumAmongTheRest) {
  add("media.mp4", 100);
  add("media.webp", 500);
  add("media.en.vtt", 500);
  add("media.f137.mp4", 500);

  const auto found = work::find(folder.path());

  EXPECT_EQ(found.media.filename(), "media.mp4");
  EXPECT_EQ(found.thumbnail.filename(), "media.webp");
  EXPECT_EQ(found.subtitles.size(), 1u);
  EXPECT_FALSE(found.unfinished);
  add("media.mp4.part");
  EXPECT_TRUE(work::find(folder.path()).unfinished);
}

TEST_F(WorkFiles, TakeAnAnimationForTheMediumIfThereIsNoOther) {
  add("media.gif", 100);
  EXPECT_EQ(work::find(folder.path()).media.filename(), "media.gif");

  add("media.mp4", 50);
  const auto found = work::find(folder.path());

  EXPECT_EQ(found.media.filename(), "media.mp4");
  EXPECT_EQ(found.thumbnail.filename(), "media.gif");
}

TEST_F(WorkFiles, CopyCookiesPrivatelyAndFollowNoLink) {
  const auto jar = add("jar.txt", 20);
  const auto work = folder.path() / "w";

  ASSERT_TRUE(work::prepare(work, jar));

  struct stat facts {};
  ASSERT_EQ(::stat(work::cookies_of(work).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777u, 0600u);
  EXPECT_EQ(facts.st_size, 20);
  std::filesystem::create_symlink("/etc/passwd", folder.path() / "link");
  for (const auto* name : {"link", "none", "w"}) {
    const auto refused = work::prepare(work, folder.path() / name);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, errc::bad_params);
  }
}

TEST_F(WorkFiles, KnowAWebPage) {
  std::ofstream{folder.path() / "a"} << "\n <!DOCTYPE HTML><p>";
  std::ofstream{folder.path() / "b"} << std::string(300, '\0');

  EXPECT_TRUE(work::looks_like_html(folder.path() / "a"));
  EXPECT_FALSE(work::looks_like_html(folder.path() / "b"));
  EXPECT_FALSE(work::looks_like_html(folder.path() / "none"));
}

TEST(MediaFacts, AreReadAndNameTheEnding) {
  const auto facts = read_media_facts(
    R"({"container": "mkv", "duration_s": 5.0, "streams": [
        {"type": "video", "codec": "mjpeg", "attached_picture": true},
        {"type": "video", "codec": "vp9", "width": 640, "height": 360,
         "fps": 25.0},
        {"type": "audio", "codec": "opus", "channels": 2,
         "sample_rate": 48000}]})");

  ASSERT_TRUE(facts.video && facts.audio);
  EXPECT_EQ(facts.video->codec, "vp9");
  EXPECT_EQ(facts.audio->sample_rate, 48000);
  EXPECT_EQ(ending_of(facts, "webm"), "mkv");
  EXPECT_EQ(ending_of(facts, "mka"), "mka");
  EXPECT_EQ(ending_of({"mp4", 1, {}, {}}, "mp4"), "m4a");
  EXPECT_EQ(ending_of({}, "dat"), "dat");
  EXPECT_EQ(ending_of({}, "../x"), "bin");
  EXPECT_TRUE(read_media_facts("{\"error\": \"x\"}").container.empty());
}

TEST(ToolCheck, WarnsOfAnOldYtDlp) {
  using namespace std::chrono;
  const sys_days today{year{2026} / 11 / 22};

  EXPECT_THAT(advice_on_age("2023.03.04", today), HasSubstr("1359 days"));
  EXPECT_EQ(advice_on_age("2026.11.01", today), "");
  EXPECT_EQ(advice_on_age("2026.10.10.123456", today), "");
  EXPECT_THAT(advice_on_age("2023.03.04", today),
              HasSubstr("Install a new one: run pipx install yt-dlp"));
  EXPECT_THAT(advice_on_age("nonsense", today), HasSubstr("nonsense"));
  EXPECT_FALSE(date_of_version("2023.13.40"));
}

} // namespace
} // namespace troupe::media
