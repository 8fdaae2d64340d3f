#include "tests/media/image/images_fixture.hpp"

namespace troupe::media {
namespace {

/// Twelve frames of 120 × 80, each of another shade, 70 ms each.
class AnimatedImages : public Images {
protected:
  void SetUp() override {
    for (int i = 0; i < 12; ++i) {
      const auto name = "f" + std::to_string(i) + ".ppm";
      std::string bytes = "P6 120 80 255\n";
      for (int p = 0; p < 120 * 80; ++p)
        for (const int each : {i * 20, p % 120 * 2, p / 120 * 3})
          bytes += static_cast<char>(static_cast<std::uint8_t>(each));
      write(name, bytes);
    }
    shell("ffmpeg -v error -y -framerate 100/7 -i f%d.ppm -loop 3 a.gif && "
          "ffmpeg -v error -y -framerate 100/7 -i f%d.ppm -loop 3 -lossless 1 "
          "-c:v libwebp_anim a.webp");
  }

  /// One figure of a header, as `vipsheader` tells it.
  [[nodiscard]] std::string header(const std::string& name,
                                   const std::string& field) const {
    shell("vipsheader -f " + field + " " + name
          + " > field 2>/dev/null || "
            "echo none > field");
    auto text = read("field");
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
      text.pop_back();
    return text;
  }

  /// Milliseconds, one for each frame.
  [[nodiscard]] std::string delays(const std::string& name) const {
    return header(name, "delay");
  }
};

TEST_F(AnimatedImages, KeepFramesDelaysAndLoops) {
  for (const std::string source : {"a.gif", "a.webp"})
    for (const std::string format : {"gif", "webp"}) {
      SCOPED_TRACE(source + " to " + format);

      const auto made = make_one("w:60/f:" + format, source);

      const auto name = "made." + format;
      write(name, made.bytes);
      EXPECT_EQ(made.frames, 12u);
      EXPECT_EQ(made.width, 60u);
      EXPECT_EQ(made.height, 40u);
      EXPECT_EQ(header(name, "n-pages"), "12");
      EXPECT_EQ(header(name, "loop"), header(source, "loop"));
      EXPECT_EQ(delays(name), delays(source));
      EXPECT_NE(delays(name).find("70"), std::string::npos);
    }
}

TEST_F(AnimatedImages, AreMadeFrameByFrame) {
  const auto made = make_one("rs:force:60:40/f:webp/q:100", "a.webp");

  write("made.webp", made.bytes);
  for (const std::string page : {"0", "5", "11"}) {
    shell("vipsthumbnail a.webp[page=" + page
          + "] -s 60x40! -o a.png && vips flatten a.png ref.png && "
            "vips flatten made.webp[page="
          + page + "] one.png");
    EXPECT_GE(psnr_of(pixels_of("one.png"), pixels_of("ref.png")), 35) << page;
  }
}

TEST_F(AnimatedImages, AreStillWhereTheFormatIs) {
  const auto made = make(order_of({"f:png", "f:webp/maf:3"}), "a.gif");

  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->source.frames, 12u);
  EXPECT_EQ(made->outputs[0].frames, 1u);
  EXPECT_EQ(made->outputs[0].height, 80u);
  EXPECT_EQ(made->outputs[1].frames, 3u);
}

TEST_F(AnimatedImages, AreTurnedCutAndPaddedAlike) {
  const auto made =
    make_one("rot:90/rs:fill:40:40/g:sm/pd:5/bg:fff/f:webp", "a.gif");

  write("made.webp", made.bytes);
  EXPECT_EQ(made.width, 50u);
  EXPECT_EQ(made.height, 50u);
  EXPECT_EQ(header("made.webp", "n-pages"), "12");
  EXPECT_EQ(header("made.webp", "height"), "50");
}

} // namespace
} // namespace troupe::media
