#include "media/imaging/work_cost.hpp"

#include "media/imaging/open_input.hpp"

#include <gmock/gmock.h>

namespace troupe::media {
namespace {

using namespace std::string_literals;

image_extent extent_in(const std::string& bytes, image_format format) {
  const auto file = file_of(bytes).value();
  return extent_of(file.get(), format);
}

/// A JPEG's first segments: one of an application, then the frame's header.
std::string jpeg_head(char frame) {
  return "\xff\xd8\xff\xe0\0\x06main\xff"s + frame
         + "\0\x11\x08\x0b\xb8\x0f\xa0"s;
}

work_ptr work_of(image_extent extent, const char* options,
                 image_format source = image_format::jpeg) {
  auto input = std::make_shared<image_input>();
  input->look.format = source;
  auto work = std::make_shared<image_work>();
  work->input = std::move(input);
  work->extent = extent;
  work->options = parse_options(options, {}).value();
  return work;
}

double cost_of(const std::vector<work_ptr>& works) {
  return usual_cost_ms(works);
}

TEST(ImageExtents, AreReadFromHeaders) {
  const auto jpeg = extent_in(jpeg_head('\xc0'), image_format::jpeg);
  EXPECT_EQ(jpeg.width, 4000u);
  EXPECT_EQ(jpeg.height, 3000u);
  EXPECT_FALSE(jpeg.progressive);
  EXPECT_TRUE(extent_in(jpeg_head('\xc2'), image_format::jpeg).progressive);

  const auto png = extent_in("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\0\x20"s,
                             image_format::png);
  EXPECT_EQ(png.width, 256u);
  EXPECT_EQ(png.height, 32u);

  const auto gif = extent_in("GIF89a\x10\1\x20\0"s, image_format::gif);
  EXPECT_EQ(gif.width, 272u);
  EXPECT_EQ(gif.height, 32u);

  const auto webp = extent_in("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0"
                              "\xff\1\0\x1f\0\0"s,
                              image_format::webp);
  EXPECT_EQ(webp.width, 512u);
  EXPECT_EQ(webp.height, 32u);

  const auto avif = extent_in("\0\0\0\x1c"
                              "ftypavif\0\0\0\x14ispe\0\0\0\0\0\0\2\0\0\0\1\0"s,
                              image_format::avif);
  EXPECT_EQ(avif.width, 512u);
  EXPECT_EQ(avif.height, 256u);
}

TEST(ImageExtents, AreNothingWhereHeadersLie) {
  for (const auto format : {image_format::jpeg, image_format::avif,
                            image_format::png, image_format::svg}) {
    EXPECT_EQ(extent_in("", format).pixels(), 0u);
    EXPECT_EQ(extent_in("no image at all", image_format::jpeg).pixels(), 0u);
  }
  // A segment that is before itself.
  EXPECT_EQ(
    extent_in("\xff\xd8"s + std::string(4000, '\xff'), image_format::jpeg)
      .pixels(),
    0u);
}

TEST(WorkCosts, GrowWithWhatIsReadAndMade) {
  const image_extent small{1000, 1000};
  const image_extent large{4000, 3000};
  const image_extent slow{4000, 3000, true};
  const auto first = work_of(large, "w:300/f:jpg");

  EXPECT_GT(cost_of({first}), 2 * cost_of({work_of(small, "w:300/f:jpg")}));
  EXPECT_GT(cost_of({work_of(slow, "w:300/f:jpg")}), 3 * cost_of({first}));
  EXPECT_GT(cost_of({work_of(large, "w:2000/f:avif")}),
            3 * cost_of({work_of(large, "w:2000/f:jpg")}));
  // Read once.
  EXPECT_LT(cost_of({first, work_of(large, "w:200/f:jpg")}),
            1.2 * cost_of({first}));
}

TEST(WorkCosts, AreGuessedWhereNoHeaderTells) {
  EXPECT_GT(cost_of({work_of({}, "w:300")}), 0);
  EXPECT_LT(cost_of({work_of({0xffffffff, 0xffffffff}, "w:300")}), 1000);
}

} // namespace
} // namespace troupe::media
