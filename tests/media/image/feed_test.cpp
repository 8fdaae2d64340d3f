#include "tests/media/image/exif.hpp"
#include "tests/media/image/images_fixture.hpp"
#include "tests/media/image/options_of.hpp"

#include "media/image/derivation.hpp"

namespace troupe::media {
namespace {

bool feeds(const char* kept, const char* wanted, bool lossy = false,
           int quality = 0,
           image_facts source = {image_format::jpeg, 2400, 1800}) {
  const auto options = options_of(kept);
  return can_feed(source, {options, options.format, quality},
                  options_of(wanted), lossy);
}

TEST(KeptImages, FeedSmallerOnesOfTheSameRegion) {
  EXPECT_TRUE(feeds("w:1200/f:png", "w:300/f:webp"));
  EXPECT_TRUE(feeds("w:1200/f:png", "rs:fill:300:300/g:ea/bl:2/wm:1"));
  EXPECT_FALSE(feeds("w:1200/f:png", "w:700"));
  EXPECT_FALSE(feeds("rs:fill:1200:1200/f:png", "w:300"));
  EXPECT_FALSE(feeds("w:1200/c:600:600/f:png", "w:100"));
  EXPECT_TRUE(feeds("w:600/c:1200:1200/f:png", "w:100/c:1200:1200"));
}

TEST(KeptImages, FeedNothingWhereTheyShowMoreOrLessThanTheirSource) {
  for (const auto* kept :
       {"w:1200/f:png/bl:1", "w:1200/f:png/sh:1", "w:1200/f:png/pix:4",
        "w:1200/f:png/wm:1", "w:1200/f:png/pd:10", "w:1200/f:png/t:10",
        "w:1200/f:png/rot:90", "w:1200/f:png/scp:0", "w:1200/f:png/sm:0",
        "w:1200/f:gif"})
    EXPECT_FALSE(feeds(kept, "w:300")) << kept;
  for (const auto* wanted : {"w:300/raw:1", "w:300/t:10", "w:300/msr:1",
                             "w:300/skp:jpg", "w:300/scp:0"})
    EXPECT_FALSE(feeds("w:1200/f:png", wanted)) << wanted;
}

TEST(KeptImages, FeedWithLossOnlyWhereThatIsAllowed) {
  EXPECT_FALSE(feeds("w:1200/f:webp", "w:300", false, 95));
  EXPECT_TRUE(feeds("w:1200/f:webp", "w:300", true, 90));
  EXPECT_FALSE(feeds("w:1200/f:webp", "w:300", true, 89));
}

TEST(KeptImages, FeedNoTransparencyThatTheyHaveNot) {
  image_facts clear{image_format::png, 2400, 1800};
  clear.alpha = true;

  EXPECT_TRUE(feeds("w:1200/f:png", "w:300/f:png", false, 0, clear));
  EXPECT_FALSE(feeds("w:1200/f:png/bg:fff", "w:300/f:png", false, 0, clear));
  EXPECT_FALSE(feeds("w:1200/f:jpg", "w:300", true, 95, clear));
}

TEST_F(Images, AreTheSameMadeOfAKeptOne) {
  paint("photo.ppm", 1600, 1200);
  shell("vips copy photo.ppm photo.png && "
        "vips rot photo.png stored.png d270");
  for (const auto* name : {"photo.png", "stored.png"}) {
    SCOPED_TRACE(name);
    const auto kept = make(order_of({"w:800/f:png"}), name);
    ASSERT_TRUE(kept);
    write("kept.png", kept->outputs.front().bytes);
    auto order = order_of({"rs:fill:200:100/g:no/f:png", "w:100"});
    const auto direct = make(order, name);
    order.made_of = kept->source;

    const auto fed = make(order, "kept.png");

    ASSERT_TRUE(direct && fed);
    EXPECT_EQ(fed->source.width, direct->source.width);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(fed->outputs[i].height, direct->outputs[i].height);
      EXPECT_GE(
        psnr_of(pixels_of(fed->outputs[i]), pixels_of(direct->outputs[i])), 40);
    }
  }
}

TEST_F(Images, MadeOfAKeptOneAreNotTurnedAgain) {
  photo("photo.jpg");
  write("turned.jpg", with_exif(read("photo.jpg"), 6));
  const auto kept = make(order_of({"w:400/f:png"}), "turned.jpg");
  ASSERT_TRUE(kept);
  write("kept.png", kept->outputs.front().bytes);
  auto order = order_of({"w:150/f:png"});
  const auto direct = make(order, "turned.jpg");
  order.made_of = kept->source;

  const auto fed = make(order, "kept.png");

  ASSERT_TRUE(direct && fed);
  EXPECT_EQ(fed->outputs[0].height, 200u);
  EXPECT_GE(psnr_of(pixels_of(fed->outputs[0]), pixels_of(direct->outputs[0])),
            35);
}

} // namespace
} // namespace troupe::media
