#include "media/download/file_name.hpp"
#include "media/download/host_pauses.hpp"
#include "media/download/params.hpp"
#include "media/download/schema.hpp"
#include "media/download/selector.hpp"
#include "media/job_types.hpp"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace troupe::media {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view url_only = R"({"url": "https://e.org/v"})";

std::string with(std::string_view key, std::string_view value) {
  return R"({"url": "https://e.org/v", ")" + std::string{key}
         + "\": " + std::string{value} + "}";
}

std::error_code error_of(const std::string& params) {
  const auto read = read_download_params(params);
  return read ? std::error_code{} : read.error().code;
}

TEST(DownloadParams, HaveTheirDefaults) {
  const auto params = read_download_params(url_only);

  ASSERT_TRUE(params);
  EXPECT_EQ(params->quality, "best");
  EXPECT_EQ(params->format, download_format::original);
  EXPECT_EQ(params->filename, "{uploader}/{title} [{id}].{ext}");
  EXPECT_EQ(params->if_exists, if_exists_rule::keep_both);
  EXPECT_EQ(params->max_filesize, 0u);
}

TEST(DownloadParams, TakeEveryField) {
  const auto params = read_download_params(
    R"({"url": "HTTP://e.org/v", "quality": "720p", "format": "mkv",
        "subtitles": ["en", "de-DE"], "embed": ["metadata", "subtitles"],
        "filename": "x/{id}", "if_exists": "skip", "rate_limit": 1000,
        "cookies": "site.txt", "max_filesize": 5000000000, "checksum":
        "sha256:)"
    + std::string(64, 'A') + "\"}");

  ASSERT_TRUE(params) << params.error().message();
  EXPECT_EQ(params->format, download_format::mkv);
  EXPECT_THAT(params->subtitles, testing::ElementsAre("en", "de-DE"));
  EXPECT_TRUE(params->embed_metadata && params->embed_subtitles);
  EXPECT_FALSE(params->embed_thumbnail || params->embed_chapters);
  EXPECT_EQ(params->if_exists, if_exists_rule::skip);
  EXPECT_EQ(params->max_filesize, 5000000000u);
  EXPECT_EQ(params->sha256, std::string(64, 'a'));
}

TEST(DownloadParams, RefuseSelectorsOfManyFiles) {
  for (const auto* quality : {"all", "mergeall", "bv,ba", "best/all",
                              "all[height=1]", "-x", "\\u0007"})
    EXPECT_EQ(error_of(with("quality", '"' + std::string{quality} + '"')),
              errc::bad_selector)
      << quality;
  EXPECT_FALSE(error_of(with("quality", R"("bv*[height<=480]+ba/small")")));
  EXPECT_FALSE(error_of(with("quality", R"("137+140/wall")")));
}

TEST(DownloadParams, RefuseOtherSchemesAndHostlessUrls) {
  for (const auto* url :
       {"ftp://e.org/v", "file:///etc/passwd", "http://", "e.org", "//e.org/v",
        "javascript:alert(1)", "http:///v", "https://e.org/a b"})
    EXPECT_EQ(error_of(R"({"url": ")" + std::string{url} + "\"}"),
              errc::unsupported_url)
      << url;
}

TEST(DownloadParams, RefuseCookiePathsAndTemplatesThatLeave) {
  for (const auto* name : {"../x", "a/b", ".hidden", "a b"})
    EXPECT_EQ(error_of(with("cookies", '"' + std::string{name} + '"')),
              errc::bad_params)
      << name;
  for (const auto* name : {"/etc/x", "../{title}", "a/../b", "{evil}", "{title",
                           "a//b", "", "a}", "./x", "1/2/3/4/5/6/7/8/9"})
    EXPECT_EQ(error_of(with("filename", '"' + std::string{name} + '"')),
              errc::bad_params)
      << name;
}

bool fits_schema(const char* field, const std::string& text) {
  const auto schema = boost::json::parse(download_params_schema);
  const std::regex pattern{
    schema.at("properties").at(field).at("pattern").as_string().c_str(),
    std::regex::ECMAScript};
  return std::regex_search(text, pattern);
}

TEST(DownloadSchema, RefusesWhatTheReaderWouldRefuse) {
  for (const std::string good :
       {"{uploader}/{title} [{id}].{ext}", "x/{id}", "a", "a..b/{host}",
        ".hidden/{height}x{width}", "1/2/3/4/5/6/7/8.{ext}"}) {
    EXPECT_TRUE(fits_schema("filename", good)) << good;
    EXPECT_TRUE(check_file_template(good)) << good;
  }
  for (const std::string bad :
       {"/etc/x", "../{title}", "a/../b", "{evil}", "{title", "a//b", "a}",
        "./x", "a/", "..", "a/.{ext}", ".{ext}", "a/..{ext}", "{}",
        "1/2/3/4/5/6/7/8/9"}) {
    EXPECT_FALSE(fits_schema("filename", bad)) << bad;
    EXPECT_FALSE(check_file_template(bad)) << bad;
  }
  for (const std::string bad : {"../x", "a/b", ".hidden", "a b", "/etc/x"})
    EXPECT_FALSE(fits_schema("cookies", bad)) << bad;
  for (const std::string bad : {"-x", "bv,ba", "all", "a\x07"})
    EXPECT_FALSE(fits_schema("quality", bad)) << bad;
  EXPECT_TRUE(fits_schema("quality", "bv*[height<=480]+ba/small"));
}

TEST(HostPauses, HoldBackTheirHostUntilTheyEnd) {
  host_pauses pauses;
  const host_pauses::clock::time_point start{};

  pauses.pause("a.example", 60, start);
  pauses.pause("a.example", 5, start);

  EXPECT_EQ(pauses.left("a.example", start + std::chrono::seconds{20}), 40);
  EXPECT_EQ(pauses.left("b.example", start), 0);
  EXPECT_EQ(pauses.left("a.example", start + std::chrono::seconds{61}), 0);
}

TEST(Containers, HoldSomeCodecsOnly) {
  media_facts facts;
  facts.video = video_facts{"h264", 320, 180, 25};
  facts.audio = audio_facts{"opus", 2, 48000};

  EXPECT_EQ(unfit_codec(download_format::webm, facts), "h264");
  EXPECT_EQ(unfit_codec(download_format::mp4, facts), "");
  facts.video->codec = "theora";
  EXPECT_EQ(unfit_codec(download_format::mp4, facts), "theora");
  EXPECT_EQ(unfit_codec(download_format::mkv, facts), "");
}

TEST(DownloadSchema, IsJsonWithEveryFieldThatIsRead) {
  const auto schema = boost::json::parse(download_params_schema);
  const auto& fields = schema.at("properties").as_object();

  EXPECT_EQ(fields.size(), 11u);
  EXPECT_EQ(fields.at("filename").at("default").as_string(),
            download_params{}.filename);
  EXPECT_TRUE(boost::json::parse(download_result_schema).is_object());
}

TEST(Selector, TakesTheBestAtOrBelowAHeight) {
  download_params params;
  params.quality = "720p";

  EXPECT_EQ(selector_of(params),
            "bv*[height<=?720]+ba/b[height<=?720]/wv*+ba/w");
  params.quality = "audio";
  EXPECT_EQ(selector_of(params), "ba/b");
  params.quality = "best";
  EXPECT_EQ(selector_of(params), "bv*+ba/b");
  params.format = download_format::mp3;
  EXPECT_EQ(selector_of(params), "ba/b");
  params.quality = "22/18";
  EXPECT_EQ(selector_of(params), "22/18");
}

TEST(FileName, IsMadeOfTheFields) {
  name_fields fields;
  fields.title = "A title";
  fields.id = "x1";
  fields.uploader = "Somebody";

  EXPECT_EQ(file_stem("{uploader}/{title} [{id}].{ext}", fields),
            "Somebody/A title [x1]");
}

TEST(FileName, StaysInTheLibraryWhateverTheTitle) {
  for (const std::string title :
       {"../../etc/passwd", "..", "/etc/x", ".", "a/../../b", "\\..\\x",
        "..\\..", "\xff/.."}) {
    name_fields fields;
    fields.title = title;
    fields.uploader = title;
    fields.id = title;

    const auto stem =
      "/" + file_stem("{uploader}/{title} [{id}]", fields) + "/";
    EXPECT_EQ(std::ranges::count(stem, '/'), 3) << stem;
    EXPECT_THAT(stem, Not(HasSubstr("/../"))) << title;
    EXPECT_THAT(stem, Not(HasSubstr("/."))) << title;
  }
}

TEST(FileName, CutsALongTitleButNotTheId) {
  name_fields fields;
  fields.uploader = "u";
  fields.id = "the-id";
  for (int i = 0; i < 200; ++i)
    fields.title += "ü";

  const auto stem = file_stem("{uploader}/{title} [{id}].{ext}", fields);

  EXPECT_THAT(stem, testing::EndsWith(" [the-id]"));
  EXPECT_LE(stem.size(), 2 + 180u);
}

TEST(JobTypes, GroupDownloadsByHost) {
  EXPECT_EQ(default_concurrency_key("download",
                                    R"({"url": "https://WWW.e.org:8443/v"})"),
            "host:www.e.org");
  EXPECT_EQ(default_concurrency_key("noop", "{}"), "");
  EXPECT_EQ(default_concurrency_key("download", "{}"), "");
}

} // namespace
} // namespace troupe::media
