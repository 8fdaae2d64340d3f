#include "media/image/placeholders.hpp"
#include "media/image/task.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

namespace troupe::media {
namespace {

TEST(ImageTask, CarriesItsOrder) {
  image_order order;
  order.asks = true;
  order.source_size = 1234;
  order.hurry = true;
  order.readable = {image_format::jpeg, image_format::svg};
  order.limits.pixels = 99;
  order.outputs.push_back(parse_options("rs:fill:300:200/f:webp", {}).value());
  order.outputs.push_back(parse_options("cb:\"x\"", {}).value());

  const auto read = read_image_order(encode_image_order(order));

  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->outputs, order.outputs);
  EXPECT_EQ(read->readable, order.readable);
  EXPECT_EQ(read->source_size, 1234);
  EXPECT_TRUE(read->asks);
  EXPECT_TRUE(read->hurry);
  EXPECT_EQ(read->limits.pixels, 99u);
}

TEST(ImageTask, CarriesItsResult) {
  image_result made;
  made.source = {image_format::gif, 10, 20, 3, 6, true, false};
  made.outputs.resize(2);
  made.outputs[0].bytes = std::string("\0\xff"
                                      "abc",
                                      5);
  made.outputs[0].format = image_format::webp;
  made.outputs[1].code = errc::too_large;
  made.outputs[1].message = "large";
  made.analysis = "{}";

  const auto read = read_image_result(encode_image_result(made));

  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->outputs[0].bytes, made.outputs[0].bytes);
  EXPECT_EQ(read->outputs[0].format, image_format::webp);
  EXPECT_EQ(read->outputs[1].code, errc::too_large);
  EXPECT_EQ(read->source.frames, 3u);
  EXPECT_EQ(read->source.orientation, 6);
  EXPECT_EQ(read->analysis, "{}");
}

TEST(ImageTask, RefusesAResultThatWasCut) {
  image_result made;
  made.outputs.resize(1);
  made.outputs[0].bytes = "abc";
  const auto text = encode_image_result(made);

  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(read_image_result(text.substr(0, size))) << size;
}

struct picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> bytes;

  [[nodiscard]] rgba_view view() const {
    return {width, height, bytes};
  }
};

/// From black at the left to red at the right.
picture gradient(int width, int height, std::uint8_t alpha = 255) {
  picture made{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int each : {x * 255 / (width - 1), 0, 0, int{alpha}})
        made.bytes.push_back(static_cast<std::uint8_t>(each));
  return made;
}

TEST(ImagePlaceholders, TellOfLight) {
  const auto black = picture{4, 4, std::vector<std::uint8_t>(64, 0)};
  const auto red = gradient(64, 64);

  EXPECT_EQ(light_of(black.view()).brightness, 0);
  EXPECT_EQ(light_of(black.view()).sharpness, 0);
  EXPECT_NEAR(light_of(red.view()).brightness, 0.1495, 0.002);
  EXPECT_GT(light_of(red.view()).contrast, 0.05);
}

TEST(ImagePlaceholders, NameTheColorOfMostPixels) {
  auto image = picture{2, 2, {}};
  for (const int each :
       {10, 200, 30, 255, 10, 200, 30, 255, 255, 255, 255, 255, 0, 0, 0, 0})
    image.bytes.push_back(static_cast<std::uint8_t>(each));

  EXPECT_EQ(dominant_color_of(image.view()), "#0ac81e");
}

TEST(ImagePlaceholders, SharePerceptualHashBits) {
  const auto small = perceptual_hash_of(gradient(64, 48).view());
  const auto large = perceptual_hash_of(gradient(200, 150).view());
  auto other = gradient(64, 48);
  for (std::size_t i = 0; i < other.bytes.size(); i += 4)
    other.bytes[i] =
      static_cast<std::uint8_t>((i / 16 % 16 * 7919) ^ (i / 1024 * 104729));

  EXPECT_LE(std::popcount(small ^ large), 8);
  EXPECT_GT(std::popcount(small ^ perceptual_hash_of(other.view())), 8);
}

TEST(ImagePlaceholders, HaveTheShapeOfTheirFormats) {
  const auto opaque = gradient(50, 30);
  const auto clear = gradient(30, 50, 100);

  // 4 x 3 components: size flag 'L', then 1 + 4 + 2 * 11 characters.
  EXPECT_EQ(blurhash_of(opaque.view()).size(), 28u);
  EXPECT_EQ(blurhash_of(opaque.view())[0], 'L');
  EXPECT_FALSE(thumbhash_of(opaque.view()).empty());
  EXPECT_NE(thumbhash_of(opaque.view()), thumbhash_of(clear.view()));
}

} // namespace
} // namespace troupe::media
