#include "media/download/error_rules.hpp"
#include "media/download/meter.hpp"
#include "media/download/output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace troupe::media {
namespace {

constexpr std::string_view fetching =
  R"([troupe-download]{"format":"mp4","progress":{"status": "downloading", )"
  R"("downloaded_bytes": 7168, "total_bytes": 73100, "speed": 5632216.38, )"
  R"("eta": 0}})";

fetch_line bytes(std::string format, std::int64_t done, std::int64_t total,
                 double rate = 0) {
  return {std::move(format), done, total, -1, rate, false};
}

TEST(OutputLine, TellsBytes) {
  const auto event = read_output_line(fetching);

  const auto* line = std::get_if<fetch_line>(&event);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->format, "mp4");
  EXPECT_EQ(line->done, 7168);
  EXPECT_EQ(line->total, 73100);
  EXPECT_EQ(line->estimate, -1);
  EXPECT_DOUBLE_EQ(line->rate, 5632216.38);
  EXPECT_FALSE(line->complete);
}

TEST(OutputLine, TellsPostprocessorsAndRemarks) {
  const auto merge = read_output_line(
    R"([troupe-postprocess]{"status": "started", "postprocessor": "Merger"})");
  ASSERT_TRUE(std::holds_alternative<postprocess_line>(merge));
  EXPECT_EQ(stage_of(std::get<postprocess_line>(merge)), "merge");
  EXPECT_EQ(stage_of({"MoveFiles", true}), "");
  EXPECT_EQ(stage_of({"FFmpegMetadata", true}), "postprocess");
  const auto glued = read_output_line(
    R"([troupe-postprocess]{"status": "finished", "postprocessor": "Merger"})"
    R"([troupe-postprocess]{"status": "started", "postprocessor": "Remuxer"})"
    "[Remuxer] Destination: {x}");
  ASSERT_TRUE(std::holds_alternative<postprocess_line>(glued));
  EXPECT_EQ(std::get<postprocess_line>(glued).name, "Remuxer");

  EXPECT_EQ(std::get<remark>(
              read_output_line("[download] Resuming download at byte 65536")),
            remark::resumed);
  EXPECT_EQ(std::get<remark>(read_output_line(
              "\r[download] File is larger than max-filesize (73100 bytes > "
              "1000 bytes). Aborting.")),
            remark::too_large);
  EXPECT_EQ(
    std::get<remark>(read_output_line(
      "[download] Got error: Downloaded 65536 bytes, expected 73100 bytes. "
      "Retrying (1/3)...")),
    remark::resumed);
}

TEST(OutputLine, IgnoresWhatItCannotRead) {
  for (const std::string_view line :
       {"", "[download] Destination: media.mp4", "[troupe-download]",
        "[troupe-download]{", "[troupe-download][1]", "[troupe-download]{}",
        R"([troupe-download]{"progress":{"status":"odd"}})",
        R"([troupe-download]{"progress":7})", "[troupe-postprocess]{}",
        "\xff\xfe\x00"})
    EXPECT_TRUE(std::holds_alternative<std::monostate>(read_output_line(line)))
      << line;
  const auto huge = "[troupe-download]" + std::string(1u << 20, '[');
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read_output_line(huge)));
}

TEST(OutputLine, TakesNoNumberThatIsNone) {
  const auto event = read_output_line(
    R"([troupe-download]{"format":3,"progress":{"status":"downloading",)"
    R"("downloaded_bytes":-5,"total_bytes":1e300,"speed":"fast"}})");

  const auto* line = std::get_if<fetch_line>(&event);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->format, "");
  EXPECT_EQ(line->done, 0);
  EXPECT_EQ(line->total, -1);
  EXPECT_EQ(line->rate, 0);
}

TEST(ProgressMeter, SumsOverTheFormats) {
  progress_meter meter;
  EXPECT_EQ(meter.now().stage, "extract");
  EXPECT_LT(meter.now().fraction, 0);

  meter.expect({{"137", 800}, {"140", 200}});
  meter.fetched(bytes("137", 400, 800, 100));

  EXPECT_EQ(meter.now().stage, "download");
  EXPECT_EQ(meter.now().done, 400);
  EXPECT_EQ(meter.now().total, 1000);
  EXPECT_DOUBLE_EQ(meter.now().fraction, 0.4);
  EXPECT_DOUBLE_EQ(meter.now().eta_s, 6);

  meter.fetched(bytes("137", 800, 800));
  meter.fetched(bytes("140", 100, 200));
  EXPECT_EQ(meter.now().done, 900);
  meter.enter("merge");
  EXPECT_EQ(meter.now().stage, "merge");
  EXPECT_EQ(meter.now().done, 900);
  EXPECT_EQ(meter.now().unit, "bytes");
}

TEST(ProgressMeter, KnowsNoFractionWithoutASize) {
  progress_meter meter;

  meter.expect({{"0", -1}});
  meter.fetched(bytes("0", 4096, -1));

  EXPECT_LT(meter.now().fraction, 0);
  EXPECT_EQ(meter.now().total, 0);
  EXPECT_EQ(meter.now().done, 4096);
}

TEST(ProgressMeter, NeverFalls) {
  std::mt19937 random{7};
  std::uniform_int_distribution<std::int64_t> any{-1, 2000};
  progress_meter meter;
  meter.expect({{"a", 1000}, {"b", -1}});
  std::int64_t done = 0;
  double fraction = 0;

  for (int i = 0; i < 10000; ++i) {
    fetch_line line{i % 3 == 0 ? "a" : "b",
                    std::max<std::int64_t>(0, any(random)),
                    any(random),
                    any(random),
                    1,
                    i % 97 == 0};
    meter.fetched(line);

    const auto& now = meter.now();
    EXPECT_GE(now.done, done);
    EXPECT_TRUE(now.total == 0 || now.done <= now.total);
    EXPECT_EQ(now.fraction < 0, now.total == 0);
    if (now.fraction >= 0) {
      EXPECT_GE(now.fraction, fraction);
      EXPECT_LE(now.fraction, 1);
      fraction = now.fraction;
    }
    done = now.done;
  }
}

TEST(ProgressMeter, IgnoresWhatBelongsToNoFormat) {
  progress_meter meter;
  meter.expect({{"a", 100}});

  meter.fetched(bytes("NA", 5000, 5000));
  meter.fetched(bytes("", 5000, 5000));

  EXPECT_EQ(meter.now().total, 100);
  EXPECT_EQ(meter.now().done, 0);
}

struct message_case {
  std::string_view message;
  errc code;
};

class Messages : public testing::TestWithParam<message_case> {};

TEST_P(Messages, AreSorted) {
  EXPECT_EQ(code_of(code_of_message(GetParam().message)),
            code_of(GetParam().code))
    << GetParam().message;
}

INSTANTIATE_TEST_SUITE_P(
  Of2023And2025, Messages,
  testing::Values(
    message_case{
      "ERROR: [generic] None: Unable to download webpage: HTTP Error "
      "404: Not Found (caused by <HTTPError 404: 'Not Found'>)",
      errc::source_not_found},
    message_case{"ERROR: [generic] Unable to download webpage: HTTP Error 410: "
                 "Gone",
                 errc::source_not_found},
    message_case{
      "ERROR: [youtube] dQw4: Video unavailable. This video has been "
      "removed by the uploader",
      errc::source_not_found},
    message_case{"ERROR: [youtube] dQw4: Video unavailable",
                 errc::source_not_found},
    message_case{"ERROR: [youtube] x: Private video. Sign in if you've been "
                 "granted access to this video",
                 errc::source_private},
    message_case{"ERROR: [youtube] x: Sign in to confirm your age. This video "
                 "may be inappropriate for some users.",
                 errc::source_private},
    message_case{"ERROR: [youtube] x: Join this channel to get access to "
                 "members-only content like this video",
                 errc::source_private},
    message_case{
      "ERROR: [vimeo] 1: This video is only available for registered "
      "users. Use --cookies",
      errc::source_private},
    message_case{"ERROR: Unsupported URL: https://example.com/",
                 errc::unsupported_url},
    message_case{
      "ERROR: [generic] 'x' is not a valid URL. Set --default-search",
      errc::unsupported_url},
    message_case{"ERROR: [html5] x: No video formats found!",
                 errc::unsupported_url},
    message_case{"ERROR: [DRM] The requested site is known to use DRM "
                 "protection. It will NOT be supported.",
                 errc::drm_protected},
    message_case{"ERROR: This video is DRM protected; Try selecting another "
                 "format",
                 errc::drm_protected},
    message_case{"ERROR: [youtube] x: The uploader has not made this video "
                 "available in your country",
                 errc::geo_blocked},
    message_case{
      "ERROR: [bbc] x: This video is not available from your location "
      "due to geo restriction",
      errc::geo_blocked},
    message_case{
      "ERROR: [generic] clip: Requested format is not available. Use "
      "--list-formats for a list of available formats",
      errc::bad_selector},
    message_case{"SyntaxError: Invalid format specification: Missing "
                 "closing/opening brackets or parenthesis",
                 errc::bad_selector},
    message_case{"ERROR: [youtube] x: This live event will begin in 3 hours.",
                 errc::is_live},
    message_case{"ERROR: [youtube] x: Premieres in 12 minutes", errc::is_live},
    message_case{"ERROR: [youtube] x: HTTP Error 429: Too Many Requests",
                 errc::rate_limited},
    message_case{"ERROR: fragment 4 not found, unable to continue",
                 errc::incomplete},
    message_case{
      "ERROR: unable to download video data: HTTP Error 503: Service "
      "Unavailable",
      errc::source_unavailable},
    message_case{"ERROR: [generic] None: Unable to download webpage: <urlopen "
                 "error [Errno 111] Connection refused>",
                 errc::source_unavailable},
    message_case{"ERROR: [generic] Unable to download webpage: The read "
                 "operation timed out",
                 errc::source_unavailable},
    message_case{"ERROR: [generic] Unable to download webpage: [Errno -2] Name "
                 "or service not known",
                 errc::source_not_found},
    message_case{"ERROR: [generic] Unable to download webpage: HTTP Error 403: "
                 "Forbidden",
                 errc::source_private},
    message_case{
      "ERROR: unable to download video data: ('Connection aborted.', "
      "RemoteDisconnected('Remote end closed connection'))",
      errc::source_unavailable},
    message_case{"ERROR: Tunnel connection failed: 502 Bad Gateway",
                 errc::source_unavailable},
    message_case{"ERROR: unable to write data: [Errno 28] No space left on "
                 "device",
                 errc::disk_full},
    message_case{"ERROR: You have requested merging of multiple formats but "
                 "ffmpeg is not installed. Aborting due to --abort-on-error",
                 errc::tool_missing},
    message_case{"ERROR: Postprocessing: Conversion failed!",
                 errc::tool_failed}));

TEST(Failure, PutsTheProxysRefusalFirst) {
  error_lines said;
  said.take("ERROR: HTTP Error 403: Forbidden");
  egress_report seen;
  seen.refused = errc::source_forbidden;
  seen.refused_detail = "rebind.test is 127.0.0.3";

  const auto why = sort_failure(said, {1, 0, ""}, seen);

  EXPECT_EQ(why.code, errc::source_forbidden);
  EXPECT_EQ(why.message, "rebind.test is 127.0.0.3");
}

TEST(Failure, TakesTheProxysWordOnASourceThatIsNotReached) {
  error_lines said;
  said.take("ERROR: [generic] Unable to download webpage: HTTP Error 502: Bad "
            "Gateway (caused by <HTTPError 502: Bad Gateway>)");
  egress_report seen;
  seen.unreached = errc::source_not_found;
  seen.last_failure = "nobody.test: there is no host of this name";

  const auto unknown = sort_failure(said, {1, 0, ""}, seen);
  seen.last_error_status = 502;
  const auto gateway = sort_failure(said, {1, 0, ""}, seen);

  EXPECT_EQ(unknown.code, errc::source_not_found);
  EXPECT_EQ(unknown.message, seen.last_failure);
  EXPECT_EQ(gateway.code, errc::source_unavailable);
}

TEST(Failure, WaitsAsLongAsTheSourceAsksOrAMinute) {
  error_lines said;
  said.take("ERROR: HTTP Error 429: Too Many Requests");
  egress_report seen;

  EXPECT_EQ(sort_failure(said, {1, 0, ""}, seen).retry_after_s, 60);
  seen.retry_after_s = 7;
  EXPECT_EQ(sort_failure(said, {1, 0, ""}, seen).retry_after_s, 7);
}

TEST(Failure, TellsAMissingFragmentFromAMissingSource) {
  error_lines said;
  said.take("ERROR: [download] Got error: HTTP Error 404: Not Found. Giving up "
            "after 3 retries");
  said.take("ERROR: fragment 4 not found, unable to continue");

  EXPECT_EQ(sort_failure(said, {1, 0, ""}, {}).code, errc::incomplete);
}

TEST(Failure, NamesASignalAndAnUnknownEnd) {
  EXPECT_EQ(sort_failure({}, {0, 11, ""}, {}).code, errc::tool_crashed);
  EXPECT_EQ(sort_failure({}, {2, 0, ""}, {}).code, errc::tool_failed);
}

TEST(Failure, LeavesYtDlpsAdviceOut) {
  error_lines said;
  said.take("WARNING: [generic] Falling back");
  said.take("ERROR: [x] y: HTTP Error 404: Not Found (caused by <HTTPError>); "
            "please report this issue on https://github.com/");

  EXPECT_EQ(sort_failure(said, {1, 0, ""}, {}).message,
            "[x] y: HTTP Error 404: Not Found");
}

} // namespace
} // namespace troupe::media
