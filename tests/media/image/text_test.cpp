#include "config/sanitizers.hpp"
#include "config/settings.hpp"
#include "tests/media/image/images_fixture.hpp"

namespace troupe::media {
namespace {

/// Children that see fonts, beside those that do not.
class TextImages : public Images {
protected:
  void see_fonts() {
    child_ = seeing_.open(child_life::lasting, child_profile::text);
  }

  static child_views fonts() {
    return {config::sandbox_settings{}.fonts, {}};
  }

  codec_children seeing_{threads_, TROUPE_TEST_CODEC, {}, fonts()};
};

constexpr const char* words = "\xC2\xA9 \xE5\x86\x99\xE7\x9C\x9F\xE5\xAE\xB6 "
                              "<span size=\"x-large\">Caf\xC3\xA9</span>";

image_order order_with_text(const std::string& options) {
  image_order order;
  option_rules any;
  any.has_watermark = true;
  order.outputs.push_back(parse_options(options, any).value());
  order.mark_text = words;
  return order;
}

TEST_F(TextImages, CarryTheTextThatLibvipsSetsOutside) {
  paint("photo.ppm", 400, 200);
  shell("vips copy photo.ppm photo.png && vips text mark.png "
        "'<span foreground=\"white\">"
        + std::string{words}
        + "</span>' --font 'sans 32' --rgba && "
          "vips composite2 photo.png mark.png both.png over --x 10 --y 20 && "
          "vips extract_band both.png ref.png 0 --n 3");
  see_fonts();

  const auto made = make(order_with_text("wm:1:nowe:10:20"), "photo.png");

  ASSERT_TRUE(made) << made.error().message();
  const auto ours = pixels_of(made->outputs.front());
  EXPECT_GE(psnr_of(ours, pixels_of("ref.png")), 50);
  EXPECT_LT(psnr_of(ours, pixels_of("photo.png")), 30);
}

TEST_F(TextImages, AreDrawnAsLibvipsDrawsThemOutside) {
  write("drawing.svg",
        "<svg xmlns='http://www.w3.org/2000/svg' width='100' height='60'>"
        "<rect width='50' height='60' fill='red'/>"
        "<text x='5' y='40' font-family='sans' font-size='20'>"
        "\xE5\x86\x99\xE7\x9C\x9F Abc</text></svg>");
  shell("vips copy 'drawing.svg[scale=4]' ref.png && "
        "vips copy 'drawing.svg[scale=0.5]' small.png");
  see_fonts();
  auto large = order_of({"w:400"});
  large.readable.push_back(image_format::svg);
  auto small = order_of({"w:50"});
  small.readable = large.readable;

  const auto drawn = make(large, "drawing.svg");
  const auto again = make(small, "drawing.svg");

  ASSERT_TRUE(drawn && again);
  EXPECT_EQ(drawn->outputs[0].format, image_format::png);
  EXPECT_EQ(drawn->outputs[0].height, 240u);
  EXPECT_GE(psnr_of(pixels_of(drawn->outputs[0]), pixels_of("ref.png")), 40);
  EXPECT_GE(psnr_of(pixels_of(again->outputs[0]), pixels_of("small.png")), 40);
}

TEST_F(TextImages, AreNotSetRightByAChildThatSeesNoFonts) {
  if (is_sanitized)
    GTEST_SKIP() << "children of a sanitizer see all files";
  paint("photo.ppm", 400, 200);
  shell("vips copy photo.ppm photo.png");
  const auto blind = make(order_with_text("wm:1:nowe:10:20"), "photo.png");
  see_fonts();

  const auto seeing = make(order_with_text("wm:1:nowe:10:20"), "photo.png");

  ASSERT_TRUE(seeing);
  if (!blind)
    return;
  EXPECT_LT(psnr_of(pixels_of(blind->outputs.front()),
                    pixels_of(seeing->outputs.front())),
            40);
}

TEST_F(TextImages, RefuseDrawingsThatAreNotAskedForOrBlowUp) {
  write("plain.svg", "<svg xmlns='http://www.w3.org/2000/svg' width='10' "
                     "height='10'/>");
  std::string bomb = "<!DOCTYPE svg [<!ENTITY a0 'ha'>";
  for (int i = 1; i < 30; ++i) {
    const auto before = "&a" + std::to_string(i - 1) + ';';
    bomb += "<!ENTITY a" + std::to_string(i) + " '" + before + before + "'>";
  }
  write("bomb.svg", bomb
                      + "]><svg xmlns='http://www.w3.org/2000/svg' width='10' "
                        "height='10'><text>&a29;</text></svg>");
  write("huge.svg", "<svg xmlns='http://www.w3.org/2000/svg' width='60000' "
                    "height='60000'/>");
  see_fonts();
  auto order = order_of({"w:10"});

  EXPECT_EQ(refusal_of(order, "plain.svg"), errc::invalid_media);
  order.readable.push_back(image_format::svg);
  EXPECT_EQ(refusal_of(order, "plain.svg"), errc::none);
  EXPECT_EQ(refusal_of(order, "bomb.svg"), errc::invalid_media);
  EXPECT_EQ(refusal_of(order, "huge.svg"), errc::too_large);
}

} // namespace
} // namespace troupe::media
