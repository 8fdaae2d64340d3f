#include "tests/media/image/images_fixture.hpp"

#include <filesystem>

namespace troupe::media {
namespace {

/// A photograph of Debian's wallpapers.
struct photograph {
  const char* name;
  const char* file;         ///< in /usr/share/backgrounds
  const char* profile = ""; ///< how vipsthumbnail is told of sRGB
};

void PrintTo(const photograph& it, std::ostream* out) {
  *out << it.file;
}

class Photographs : public Images,
                    public testing::WithParamInterface<photograph> {
protected:
  void SetUp() override {
    const auto file =
      std::filesystem::path{"/usr/share/backgrounds"} / GetParam().file;
    if (!std::filesystem::exists(file))
      GTEST_SKIP() << "there is no " << file
                   << ": are lomiri-wallpapers-16.04 and -20.04 installed?";
    std::filesystem::create_symlink(file, path("photo.jpg"));
  }

  /// How like it is what vipsthumbnail makes, in decibels.
  /// @param then a command that goes on with its `ref.png`
  double likeness(const image_made& made, const std::string& size,
                  const std::string& then = "true") {
    shell("vipsthumbnail photo.jpg -s " + size + ' ' + GetParam().profile
          + " -o ref.png && " + then);
    return psnr_of(pixels_of(made), pixels_of("ref.png"));
  }
};

TEST_P(Photographs, AreMadeAsLibvipsMakesThem) {
  const auto fit = make_one("rs:fit:300:300/f:png", "photo.jpg");
  const auto fill = make_one("rs:fill:200:320/g:nowe/f:png", "photo.jpg");
  const auto webp = make_one("rs:fit:300:300/f:webp/q:90", "photo.jpg");

  EXPECT_GE(likeness(fill, "x320",
                     "vips copy ref.png whole.png && "
                     "vips crop whole.png ref.png 0 0 200 320"),
            40);
  EXPECT_GE(likeness(fit, "300x300"), 40);
  EXPECT_GE(psnr_of(pixels_of(webp), pixels_of(fit)), 30);
}

TEST_P(Photographs, OfSeveralSizesAreAsGoodAsEachAlone) {
  const auto made =
    make(order_of({"w:150/f:png", "w:300/f:png", "w:1200/f:png"}), "photo.jpg");

  ASSERT_TRUE(made) << made.error().message();
  EXPECT_GE(likeness(made->outputs[2], "1200x"), 40);
  EXPECT_GE(likeness(made->outputs[1], "300x"), 38);
  EXPECT_GE(likeness(made->outputs[0], "150x"), 34);
}

/// As large as it may just be decoded at an eighth, a quarter and a half.
TEST_P(Photographs, AreAsSharpAsOfAFullDecode) {
  shell("vips copy photo.jpg full.v && vipsheader -f width full.v > width");
  const auto whole = std::stoi(read("width"));
  for (const int part : {12, 6, 3}) {
    SCOPED_TRACE(part);
    const auto width = std::to_string(whole / part);

    const auto made = make_one("ar:0/f:png/w:" + width, "photo.jpg");

    shell("vipsthumbnail full.v --no-rotate -s " + width + "x "
          + GetParam().profile + " -o ref.png");
    EXPECT_GE(psnr_of(pixels_of(made), pixels_of("ref.png")), 38);
  }
}

INSTANTIATE_TEST_SUITE_P(
  Wallpapers, Photographs,
  testing::Values(
    photograph{"bird", "Kleiber_by_Lukas_Baubkus.jpg"},
    photograph{"progressive", "Infinite-Sea_by_Aury88.jpg"},
    photograph{"with_profile", "Painting-Colors_by__herobrine7gamer.jpg",
               "--eprofile srgb"},
    photograph{"night", "Fossa_by_Jasper_Roks.jpg"},
    photograph{"upright", "friends_by_Aitzol_Berasategi.jpg"},
    photograph{"landscape", "picosdeeuropa_by_Aitzol_Berasategi.jpg"},
    photograph{"sky", "Bridge_by_Sander_Klootwijk.jpg"},
    photograph{"insect", "Dragonfly_by_Bolly.jpg"}),
  [](const auto& each) { return std::string{each.param.name}; });

} // namespace
} // namespace troupe::media
