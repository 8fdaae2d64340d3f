#include "tests/media/image/images_fixture.hpp"

#include <gmock/gmock.h>

namespace troupe::media {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

/// Twelve seconds of three scenes, 320 x 180, as ffmpeg makes them.
class Videos : public Images {
protected:
  void film(const std::string& name, const std::string& more = "") const {
    shell("ffmpeg -v error -y -f lavfi -i "
          "testsrc2=size=320x180:rate=25:duration=4 -f lavfi -i "
          "smptebars=size=320x180:rate=25:duration=4 -f lavfi -i "
          "color=c=blue:size=320x180:rate=25:duration=4 -filter_complex "
          "'[0][1][2]concat=n=3' -pix_fmt yuv420p -c:v libx264 "
          "-preset ultrafast "
          + more + ' ' + name);
  }

  static video_wish wish_of(video_view view, const char* options) {
    video_wish wish;
    wish.view = view;
    wish.options = parse_options(options, {}).value();
    return wish;
  }

  result<video_result> show(std::vector<video_wish> wishes,
                            const std::string& source) {
    video_order order;
    order.wishes = std::move(wishes);
    const auto end = run(video_task(order, open(source)));
    if (end.code != errc::none)
      return fail(end.code, end.message);
    return read_video_result(end.result);
  }

  errc refusal_of(std::vector<video_wish> wishes, const std::string& source) {
    const auto made = show(std::move(wishes), source);
    return made ? errc::none : static_cast<errc>(made.error().code.value());
  }
};

TEST_F(Videos, ShowThePictureOfATime) {
  film("film.mp4");
  shell("ffmpeg -v error -y -ss 2.2 -i film.mp4 -vf "
        "scale=flags=bicubic+accurate_rnd+full_chroma_int,format=rgb24 "
        "-frames:v 1 ref.png");
  auto wish = wish_of(video_view::stills, "f:png");
  wish.at_s = {2.2, 11, 500};

  const auto made = show({wish}, "film.mp4");

  ASSERT_TRUE(made) << made.error().message();
  EXPECT_NEAR(made->duration_s, 12, 0.1);
  const auto& stills = made->made.front();
  ASSERT_EQ(stills.images.size(), 3u) << stills.message;
  EXPECT_THAT(stills.times,
              ElementsAre(DoubleNear(2.2, 0.001), DoubleNear(11, 0.001),
                          DoubleNear(11.96, 0.001)));
  EXPECT_GE(psnr_of(pixels_of(stills.images[0]), pixels_of("ref.png")), 35);
}

TEST_F(Videos, AreTurnedAndHaveSquarePixels) {
  film("plain.mp4", "-aspect 2:1");
  shell("ffmpeg -v error -y -i plain.mp4 -c copy -metadata:s:v:0 rotate=90 "
        "film.mp4");

  const auto made = show({wish_of(video_view::stills, "f:png")}, "film.mp4");

  ASSERT_TRUE(made) << made.error().message();
  const auto& image = made->made.front().images.front();
  EXPECT_EQ(image.width, 180u);
  EXPECT_EQ(image.height, 360u);
}

TEST_F(Videos, ShowTheScenesThatTheyHave) {
  film("film.mp4");
  auto all = wish_of(video_view::scenes, "w:64");
  auto one = all;
  one.count = 1;

  const auto made = show({all, one}, "film.mp4");

  ASSERT_TRUE(made) << made.error().message();
  EXPECT_THAT(
    made->made[0].times,
    ElementsAre(DoubleNear(0, 0.05), DoubleNear(4, 0.05), DoubleNear(8, 0.05)));
  EXPECT_EQ(made->made[0].images.size(), 3u);
  EXPECT_EQ(made->made[1].images.size(), 1u);
}

TEST_F(Videos, AreScrubbedByASheetAndItsIndex) {
  film("film.mp4");
  auto wish = wish_of(video_view::sprite, "w:80");
  wish.every_s = 2;
  wish.columns = 4;

  const auto made = show({wish}, "film.mp4");

  ASSERT_TRUE(made) << made.error().message();
  const auto& sheet = made->made.front();
  ASSERT_EQ(sheet.images.size(), 1u) << sheet.message;
  EXPECT_EQ(sheet.images.front().width, 320u);
  EXPECT_EQ(sheet.images.front().height, 90u);
  EXPECT_EQ(sheet.times.size(), 6u);
  const auto text = webvtt_of(sheet, made->duration_s, "film-sheet.jpg");
  EXPECT_TRUE(text.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n"
                               "film-sheet.jpg#xywh=0,0,80,45\n"))
    << text;
  EXPECT_NE(text.find("\n00:00:10.000 --> 00:00:12.000\n"
                      "film-sheet.jpg#xywh=80,45,80,45\n"),
            text.npos)
    << text;
  write("sheet.jpg", sheet.images.front().bytes);
  shell("vips crop sheet.jpg blue.png 88 53 64 30");
  const auto blue = pixels_of("blue.png").bytes;
  EXPECT_LT(static_cast<std::uint8_t>(blue[0]), 30);
  EXPECT_GT(static_cast<std::uint8_t>(blue[2]), 220);
}

TEST_F(Videos, ArePreviewedByAnAnimation) {
  film("film.mp4");
  auto wish = wish_of(video_view::preview, "w:100");
  wish.from_s = 1;
  wish.length_s = 2;
  wish.fps = 5;
  auto gif = wish;
  gif.options.format = image_format::gif;
  auto still = wish;
  still.options.format = image_format::jpeg;

  const auto made = show({wish, gif, still}, "film.mp4");

  ASSERT_TRUE(made) << made.error().message();
  ASSERT_EQ(made->made[0].images.size(), 1u) << made->made[0].message;
  const auto& webp = made->made[0].images.front();
  EXPECT_EQ(webp.format, image_format::webp);
  EXPECT_EQ(webp.frames, 10u);
  write("made.webp", webp.bytes);
  shell("test \"$(vipsheader -f n-pages made.webp)\" = 10 && "
        "test \"$(vipsheader -f delay made.webp | cut -d' ' -f1)\" = 200");
  ASSERT_EQ(made->made[1].images.size(), 1u) << made->made[1].message;
  EXPECT_EQ(made->made[1].images.front().bytes.substr(0, 4), "GIF8");
  EXPECT_EQ(made->made[2].code, errc::bad_params);
}

TEST_F(Videos, AreRefusedIfTheyAreNone) {
  write("words.mp4", "no video");
  write("list.mp4", "#EXTM3U\n#EXTINF:1,\nfilm.ts\n");
  film("film.mp4");
  shell("ffmpeg -v error -y -f lavfi -i sine=duration=1 sound.wav");
  shell("head -c 20000 film.mp4 > half.mp4");
  const auto any = wish_of(video_view::stills, "w:64");

  for (const auto* name : {"words.mp4", "list.mp4", "sound.wav", "half.mp4"})
    EXPECT_EQ(refusal_of({any}, name), errc::invalid_media) << name;
  EXPECT_EQ(
    refusal_of({wish_of(video_view::stills, "w:40000/el:1")}, "film.mp4"),
    errc::too_large);
  EXPECT_EQ(refusal_of({any}, "film.mp4"), errc::none);
}

} // namespace
} // namespace troupe::media
