#include "tests/media/image/options_of.hpp"

#include "media/errc.hpp"

namespace troupe::media {
namespace {

std::string refusal_of(std::string_view text) {
  const auto read = parse_options(text, with_mark());
  EXPECT_FALSE(read) << text;
  if (read)
    return {};
  EXPECT_EQ(read.error().code, make_error_code(errc::bad_params));
  return read.error().detail;
}

struct spelling {
  const char* text;
  const char* canonical;
};

/// Every option, by its long and its short name.
class ImageSpelling : public testing::TestWithParam<spelling> {};

TEST_P(ImageSpelling, HasOneCanonicalText) {
  const auto read = options_of(GetParam().text);

  EXPECT_EQ(canonical_text(read), GetParam().canonical);
}

TEST_P(ImageSpelling, IsTheSameReadAgain) {
  const auto read = options_of(GetParam().text);

  EXPECT_EQ(canonical_text(options_of(canonical_text(read))),
            GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
  Options, ImageSpelling,
  testing::Values(
    spelling{"", ""}, spelling{"rs:fit:0:0:0", ""},
    spelling{"resize:fill:300:200:1:1:no:5:0.5",
             "rt:fill/w:300/h:200/el:1/ex:1:no:5:0.5"},
    spelling{"rs:fill:300:200:1:1:no:5:0.5",
             "rt:fill/w:300/h:200/el:1/ex:1:no:5:0.5"},
    spelling{"rs::300", "w:300"}, spelling{"size:300::t", "w:300/el:1"},
    spelling{"s:300:200", "w:300/h:200"}, spelling{"rt:auto", "rt:auto"},
    spelling{"resizing_type:fill-down", "rt:fill-down"},
    spelling{"rt:force", "rt:force"}, spelling{"width:10", "w:10"},
    spelling{"w:10", "w:10"}, spelling{"height:10", "h:10"},
    spelling{"h:10/h:", ""}, spelling{"min-width:10", "mw:10"},
    spelling{"mw:10", "mw:10"}, spelling{"min-height:10", "mh:10"},
    spelling{"mh:10", "mh:10"}, spelling{"zoom:2", "z:2:2"},
    spelling{"z:2:0.5", "z:2:0.5"}, spelling{"dpr:1.50", "dpr:1.5"},
    spelling{"enlarge:True", "el:1"}, spelling{"el:F", ""},
    spelling{"extend:1", "ex:1:ce:0:0"}, spelling{"ex:0", ""},
    spelling{"extend_aspect_ratio:1:so", "exar:1:so:0:0"},
    spelling{"extend_ar:1", "exar:1:ce:0:0"},
    spelling{"exar:t", "exar:1:ce:0:0"}, spelling{"gravity:sm", "g:sm"},
    spelling{"g:ce", ""}, spelling{"g:soea:10:-0.5", "g:soea:10:-0.5"},
    spelling{"g:fp:0.25:1", "g:fp:0.25:1"},
    spelling{"crop:0.5:100", "c:0.5:100"},
    spelling{"c:10:20:nowe:5:5", "c:10:20:nowe:5:5"},
    spelling{"c:10:20:sm", "c:10:20:sm"}, spelling{"trim:20", "t:20::0:0"},
    spelling{"t::FFF:1:0", "t:10:ffffff:1:0"}, spelling{"t:20/t:", ""},
    spelling{"padding:10", "pd:10:10:10:10"}, spelling{"pd:1:2", "pd:1:2:1:2"},
    spelling{"pd:1:2:3:4", "pd:1:2:3:4"}, spelling{"auto_rotate:0", "ar:0"},
    spelling{"ar:1", ""}, spelling{"rotate:-90", "rot:270"},
    spelling{"rot:360", ""}, spelling{"flip:1", "fl:1:0"},
    spelling{"fl:0:1", "fl:0:1"}, spelling{"background:255:0:10", "bg:ff000a"},
    spelling{"bg:ff000A", "bg:ff000a"}, spelling{"bg:fff/bg:", ""},
    spelling{"blur:1.5", "bl:1.5"}, spelling{"bl:0", ""},
    spelling{"sharpen:0.7", "sh:0.7"}, spelling{"sh:2", "sh:2"},
    spelling{"pixelate:8", "pix:8"}, spelling{"pix:0", ""},
    spelling{"watermark:0.5:soea:10:20:0.1", "wm:0.5:soea:10:20:0.1"},
    spelling{"wm:1:re", "wm:1:re:0:0:0"}, spelling{"wm:0", ""},
    spelling{"strip_metadata:0", "sm:0"}, spelling{"sm:false", "sm:0"},
    spelling{"keep_copyright:0", "kcr:0"}, spelling{"kcr:1", ""},
    spelling{"strip_color_profile:0", "scp:0"}, spelling{"scp:0", "scp:0"},
    spelling{"enforce_thumbnail:1", ""}, spelling{"eth:1", ""},
    spelling{"bg:fff/bg:::", ""}, spelling{"bg:1:2:3/bg:::", ""},
    spelling{"quality:50", "q:50"}, spelling{"q:0", ""},
    spelling{"format_quality:webp:50:jpeg:60", "fq:jpg:60:webp:50"},
    spelling{"fq:avif:30", "fq:avif:30"}, spelling{"max_bytes:1000", "mb:1000"},
    spelling{"mb:0", ""}, spelling{"format:jpeg", "f:jpg"},
    spelling{"f:avif", "f:avif"}, spelling{"ext:png", "f:png"},
    spelling{"skip_processing:png:gif:png", "skp:png:gif"},
    spelling{"skp:jpg", "skp:jpg"}, spelling{"raw:1", "raw:1"},
    spelling{"cachebuster:v2", "cb:v2"}, spelling{"cb:x", "cb:x"},
    spelling{"max_src_resolution:12.5", "msr:12.5"}, spelling{"msr:0", ""},
    spelling{"max_src_file_size:1000", "msfs:1000"},
    spelling{"max_animation_frames:5", "maf:5"},
    spelling{"max_animation_frame_resolution:2", "mafr:2"},
    spelling{"max_result_dimension:500", "mrd:500"}, spelling{"mrd:0", ""},
    spelling{"sp:png:gif", "skp:png:gif"}, spelling{"h:20/w:10", "w:10/h:20"},
    spelling{"expires:1/fn:a/att:1/tag:x", ""}));

TEST(ImageOptions, KeepWhatIsAboutDelivery) {
  const auto read = options_of("exp:1700000000/fn:c2l4:1/att:1/tag:b:a/tag:a");

  EXPECT_EQ(read.expires_s, 1'700'000'000);
  EXPECT_EQ(read.filename, "six");
  EXPECT_TRUE(read.attachment);
  EXPECT_EQ(read.tags, (std::vector<std::string>{"a", "b"}));
}

TEST(ImageOptions, NameTheOptionThatMakesNoSense) {
  for (const auto* text :
       {"w:-1",     "w:70000",      "w:1.5",    "w:0x10",  "rs:stretch",
        "el:yes",   "dpr:0",        "dpr:nan",  "z:0",     "g:up",
        "g:sm:1",   "g:fp:2:0",     "g:fp:0.5", "ex:1:sm", "c:-1",
        "t:10:xyz", "pd:1:2:3:4:5", "rot:45",   "bg:12",   "bg:256:0:0",
        "bg::0:0",  "eth:maybe",    "bl:-1",    "sh:inf",  "wm:2",
        "q:101",    "fq:webp",      "fq:doc:1", "f:svg",   "f:exe",
        "skp:bmp",  "exp:soon",     "fn:%zz",   "mb:-5",   "w",
        "msr:x",    "tag:"}) {
    const std::string name =
      std::string{text}.substr(0, std::string{text}.find(':'));
    EXPECT_TRUE(refusal_of(text).starts_with(name + ": ")) << text;
  }
}

TEST(ImageOptions, TellThePaidFromTheUnknown) {
  EXPECT_EQ(refusal_of("wmt:hello"), "wmt: an option of the paid version");
  EXPECT_EQ(refusal_of("no_such:1"), "no_such: no such option");
}

TEST(ImageOptions, TakeAWatermarkOnlyWhereOneIsConfigured) {
  EXPECT_FALSE(parse_options("wm:0.5", {}));
  EXPECT_TRUE(parse_options("wm:0", {}));
}

TEST(ImagePresets, ComeFirstAndMayNameOthers) {
  option_rules rules;
  rules.presets = {{"default", "q:60"},
                   {"small", "rs:fit:100:100/pr:sharp"},
                   {"sharp", "sh:1/pr:small"}};

  const auto read = parse_options("pr:small/w:200", rules);

  ASSERT_TRUE(read);
  EXPECT_EQ(canonical_text(*read), "w:200/h:100/sh:1/q:60");
  EXPECT_FALSE(parse_options("pr:large", rules));
}

TEST(ImagePresets, AreAllThereIsInThatMode) {
  option_rules rules;
  rules.presets = {{"small", "w:100"}, {"sharp", "sh:1"}};
  rules.presets_only = true;

  const auto read = parse_options("small:sharp", rules);

  ASSERT_TRUE(read);
  EXPECT_EQ(canonical_text(*read), "w:100/sh:1");
  EXPECT_FALSE(parse_options("w:100", rules));
}

struct address {
  const char* path;
  const char* source;
  const char* canonical;
};

class ImagePath : public testing::TestWithParam<address> {};

TEST_P(ImagePath, IsRead) {
  const auto read = parse_image_path(GetParam().path, {});

  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->source, GetParam().source);
  EXPECT_EQ(canonical_text(read->options), GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
  Paths, ImagePath,
  testing::Values(
    address{"w:10/plain/local:///a.jpg", "local:///a.jpg", "w:10"},
    address{"/w:10/h:5/plain/local:///a%20b.jpg@webp", "local:///a b.jpg",
            "w:10/h:5/f:webp"},
    address{"plain/http://e.org/a%40b.jpg", "http://e.org/a@b.jpg", ""},
    address{"w%3A10/plain/http:/e.org/a:/b", "http://e.org/a:/b", "w:10"},
    address{"plain/local:/a.jpg", "local:///a.jpg", ""},
    address{"w:10/bG9jYWw6Ly8vYS5qcGc", "local:///a.jpg", "w:10"},
    address{"w:10/bG9jYWw6/Ly8vYS5q/cGc=.avif", "local:///a.jpg",
            "w:10/f:avif"}));

TEST(ImagePath, IsRefusedWithoutASource) {
  for (const auto* path : {"", "w:10", "w:10/", "plain/", "w:10/plain/@jpg",
                           "plain/a%2", "&&&", "plain/a@doc", "enc/abc"})
    EXPECT_FALSE(parse_image_path(path, {})) << path;
}

TEST(ImagePath, OfPresetsBeginsWithThem) {
  option_rules rules;
  rules.presets = {{"small", "w:100"}};
  rules.presets_only = true;

  const auto read = parse_image_path("small/plain/local:///a.jpg", rules);

  ASSERT_TRUE(read);
  EXPECT_EQ(canonical_text(read->options), "w:100");
}

} // namespace
} // namespace troupe::media
