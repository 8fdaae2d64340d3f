#include "tests/media/image/exif.hpp"
#include "tests/media/image/images_fixture.hpp"

namespace troupe::media {
namespace {

/// What we make against what libvips' own tools make of the same source.
struct likeness {
  const char* name;
  const char* source;   ///< as libvips saves it
  const char* options;  ///< ours
  const char* commands; ///< theirs, from `photo.*` to `ref.png`
  double least;         ///< decibels
};

class ImagePixels : public Images,
                    public testing::WithParamInterface<likeness> {};

TEST_P(ImagePixels, AreThoseOfLibvips) {
  const auto& given = GetParam();
  photo(given.source);

  const auto made = make_one(given.options, given.source);

  shell(given.commands);
  EXPECT_GE(psnr_of(pixels_of(made), pixels_of("ref.png")), given.least);
}

INSTANTIATE_TEST_SUITE_P(
  Options, ImagePixels,
  testing::Values(
    likeness{"fit", "photo.jpg", "rs:fit:300:300/f:png",
             "vipsthumbnail photo.jpg -s 300x300 -o ref.png", 40},
    likeness{"fill", "photo.jpg", "rs:fill:300:300/f:png",
             "vipsthumbnail photo.jpg -s 300x300 --smartcrop centre -o ref.png",
             40},
    likeness{"force", "photo.jpg", "rs:force:200:300/f:png",
             "vipsthumbnail photo.jpg -s 200x300! -o ref.png", 40},
    likeness{"width", "photo.jpg", "w:200/f:png",
             "vipsthumbnail photo.jpg -s 200x -o ref.png", 40},
    likeness{"height", "photo.jpg", "h:200/f:png",
             "vipsthumbnail photo.jpg -s x200 -o ref.png", 40},
    likeness{"size_dpr_zoom", "photo.png", "s:100:100/dpr:1.5/z:2",
             "vipsthumbnail photo.png -s 300x300 -o ref.png", 45},
    likeness{"enlarge", "photo.png", "rs:fit:1200:900:1",
             "vips resize photo.png ref.png 1.5", 45},
    likeness{"min_width", "photo.png", "h:100/mw:200",
             "vips resize photo.png a.png 0.25 && "
             "vips crop a.png ref.png 0 25 200 100",
             30},
    likeness{"smart", "photo.png", "rs:fill:200:300/g:sm",
             "vipsthumbnail photo.png -s 200x300 --smartcrop attention "
             "-o ref.png",
             40},
    likeness{"gravity", "photo.png", "rs:fill:300:300/g:ea",
             "vips resize photo.png a.png 0.5 && "
             "vips crop a.png ref.png 100 0 300 300",
             45},
    likeness{"gravity_offset", "photo.png", "c:300:300:nowe:10:20",
             "vips crop photo.png ref.png 10 20 300 300", 99},
    likeness{"crop", "photo.png", "c:300:200:soea",
             "vips crop photo.png ref.png 500 400 300 200", 99},
    likeness{"crop_share", "photo.png", "c:0.5:0.5:fp:0:0",
             "vips crop photo.png ref.png 0 0 400 300", 99},
    likeness{"rotate", "photo.png", "rot:90", "vips rot photo.png ref.png d90",
             99},
    likeness{"rotate_crop", "photo.png", "rot:270/c:200:300:no",
             "vips rot photo.png a.png d270 && "
             "vips crop a.png ref.png 200 0 200 300",
             99},
    likeness{"flip", "photo.png", "fl:1:1", "vips rot photo.png ref.png d180",
             99},
    likeness{"flip_vertical", "photo.png", "fl:0:1",
             "vips flip photo.png ref.png vertical", 99},
    likeness{"blur", "photo.png", "bl:3", "vips gaussblur photo.png ref.png 3",
             40}, // its tools blur by Orc's code, less exactly
    likeness{"sharpen", "photo.png", "sh:1.5",
             "vips sharpen photo.png ref.png --sigma 1.5", 99},
    likeness{"pixelate", "photo.png", "pix:20",
             "vips shrink photo.png a.png 20 20 && "
             "vips zoom a.png ref.png 20 20",
             99},
    likeness{"extend", "photo.png", "rs:fit:1000:700:0:1:no/bg:ff0000",
             "vips embed photo.png ref.png 100 0 1000 700 --extend background "
             "--background '255 0 0'",
             99},
    likeness{"extend_ratio", "photo.png", "s:100:100/exar:1/bg:00ff00",
             "vipsthumbnail photo.png -s 100x100 -o a.png && "
             "vips embed a.png ref.png 0 13 100 100 --extend background "
             "--background '0 255 0'",
             40},
    likeness{"padding", "photo.png", "pd:10:20:30:40/bg:0:0:255",
             "vips embed photo.png ref.png 40 10 860 640 --extend background "
             "--background '0 0 255'",
             99},
    likeness{"webp", "photo.jpg", "w:300/f:webp/q:90",
             "vipsthumbnail photo.jpg -s 300x -o ref.png", 30},
    likeness{"avif", "photo.jpg", "w:300/f:avif/q:90",
             "vipsthumbnail photo.jpg -s 300x -o ref.png", 30},
    likeness{"jpeg", "photo.png", "w:300/f:jpg/q:95",
             "vipsthumbnail photo.png -s 300x -o ref.png", 30},
    likeness{"tiff", "photo.png", "w:300/f:tiff",
             "vipsthumbnail photo.png -s 300x -o ref.png", 45},
    likeness{"gif", "photo.png", "w:300/f:gif",
             "vipsthumbnail photo.png -s 300x -o a.png && "
             "vips copy a.png a.gif && vips copy a.gif ref.png",
             30},
    likeness{"webp_in", "photo.webp", "w:300/f:png",
             "vipsthumbnail photo.webp -s 300x -o ref.png", 35}),
  [](const auto& each) { return std::string{each.param.name}; });

TEST_F(Images, AreTurnedAsExifSays) {
  photo("photo.jpg");
  const auto plain = read("photo.jpg");
  for (unsigned orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    write("turned.jpg", with_exif(plain, orientation));
    shell("vips autorot turned.jpg ref.png && "
          "vips crop ref.png part.png 0 0 100 200");

    const auto whole = make_one("f:png", "turned.jpg");
    const auto part = make_one("c:100:200:nowe/f:png", "turned.jpg");

    EXPECT_EQ(psnr_of(pixels_of(whole), pixels_of("ref.png")), 99);
    EXPECT_EQ(psnr_of(pixels_of(part), pixels_of("part.png")), 99);
  }
}

TEST_F(Images, StayAsTheyAreStoredIfAsked) {
  photo("photo.jpg");
  write("turned.jpg", with_exif(read("photo.jpg"), 6));

  const auto made = make_one("ar:0/f:png", "turned.jpg");

  EXPECT_EQ(psnr_of(pixels_of(made), pixels_of("photo.jpg")), 99);
}

TEST_F(Images, LoseMetadataButTheOwnersName) {
  photo("photo.jpg");
  write("full.jpg", with_exif(read("photo.jpg"), 1));
  const auto holds = [&](const char* options, const char* text) {
    return make_one(options, "full.jpg").bytes.find(text) != std::string::npos;
  };

  EXPECT_TRUE(holds("w:100", "(c) owner"));
  EXPECT_FALSE(holds("w:100", "camera 1"));
  EXPECT_FALSE(holds("w:100/kcr:0", "(c) owner"));
  EXPECT_TRUE(holds("w:100/sm:0", "camera 1"));
  EXPECT_FALSE(holds("w:100/f:webp/kcr:0", "camera 1"));
}

TEST_F(Images, LoseABorderOfOneColor) {
  photo("photo.png");
  shell("vips embed photo.png bordered.png 30 20 900 700 --extend background "
        "--background '250 250 250'");

  const auto plain = make_one("t:20", "bordered.png");
  const auto equal = make_one("t:20:fafafa:1:1", "bordered.png");

  EXPECT_EQ(plain.width, 800u);
  EXPECT_EQ(plain.height, 600u);
  EXPECT_EQ(psnr_of(pixels_of(plain), pixels_of("photo.png")), 99);
  EXPECT_EQ(equal.width, 840u);
  EXPECT_EQ(equal.height, 660u);
}

TEST_F(Images, HaveTheBackgroundBeneathTransparentPixels) {
  paint("photo.ppm", 100, 100);
  shell("vips black half.v 100 100 && vips linear half.v alpha.v 1 128 --uchar "
        "&& vips bandjoin 'photo.ppm alpha.v' clear.png && "
        "vips flatten clear.png ref.png --background '255 0 0' && "
        "vips flatten clear.png white.png --background '255 255 255'");

  const auto red = make_one("bg:ff0000", "clear.png");
  const auto jpeg = make_one("f:jpg/q:100", "clear.png");
  const auto kept = make_one("f:webp/q:100", "clear.png");

  EXPECT_GE(psnr_of(pixels_of(red), pixels_of("ref.png")), 50);
  EXPECT_GE(psnr_of(pixels_of(jpeg), pixels_of("white.png")), 33);
  EXPECT_EQ(pixels_of(kept).bytes.size(), 100u * 100 * 4);
}

TEST_F(Images, CarryAWatermark) {
  paint("photo.ppm", 300, 200);
  shell("vips copy photo.ppm photo.png && vips black black.v 40 20 --bands 3 &&"
        " vips copy black.v mark.png && vips linear black.v a.v 1 255 --uchar");

  const auto solid = make_one("wm:1:soea:10:10", "photo.png", "mark.png");
  const auto faint = make_one("wm:0.5:nowe", "photo.png", "mark.png");
  const auto repeated = make_one("wm:1:re", "photo.png", "mark.png");
  const auto scaled = make_one("wm:1:ce:0:0:1", "photo.png", "mark.png");

  shell("vips insert photo.png mark.png ref.png 250 170");
  EXPECT_GE(psnr_of(pixels_of(solid), pixels_of("ref.png")), 50);
  const auto here = pixels_of(faint).bytes;
  const auto there = pixels_of("photo.png").bytes;
  EXPECT_NEAR(static_cast<std::uint8_t>(here[0]),
              static_cast<std::uint8_t>(there[0]) / 2.0, 2);
  EXPECT_EQ(here.back(), there.back());
  EXPECT_EQ(pixels_of(repeated).bytes.find_first_not_of('\0'),
            std::string::npos);
  EXPECT_EQ(pixels_of(scaled).bytes.substr(300 * 3 * 100, 900),
            std::string(900, '\0'));
}

TEST_F(Images, OfSeveralSizesComeOfOneDecode) {
  paint("photo.ppm", 2400, 1800);
  shell("vips copy photo.ppm photo.jpg[Q=92] && "
        "vipsthumbnail photo.jpg -s 150x -o ref.png");

  const auto made = make(
    order_of({"w:150/f:png", "w:300/f:webp", "w:600/f:webp"}), "photo.jpg");

  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->outputs[0].made_from, 1);
  EXPECT_EQ(made->outputs[1].made_from, 2);
  EXPECT_EQ(made->outputs[2].made_from, -1);
  EXPECT_EQ(made->outputs[2].width, 600u);
  EXPECT_EQ(made->outputs[2].height, 450u);
  EXPECT_GE(psnr_of(pixels_of(made->outputs[0]), pixels_of("ref.png")), 38);
}

TEST_F(Images, TellWhatTheyAreLike) {
  photo("photo.jpg");
  image_order order;
  order.analyse = true;

  const auto made = make(order, "photo.jpg");

  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->source.width, 800u);
  for (const auto* key : {"\"format\":\"jpg\"", "\"width\":800", "sharpness",
                          "brightness", "contrast", "dominant_color",
                          "blurhash", "thumbhash", "perceptual_hash", "exif"})
    EXPECT_NE(made->analysis.find(key), std::string::npos)
      << key << " in " << made->analysis;
}

} // namespace
} // namespace troupe::media
