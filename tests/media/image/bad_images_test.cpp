#include "tests/media/image/exif.hpp"
#include "tests/media/image/images_fixture.hpp"

#include <zlib.h>

#include <chrono>
#include <random>

namespace troupe::media {
namespace {

std::string big(std::uint32_t value) {
  const auto turned = little(value, 4);
  return {turned.rbegin(), turned.rend()};
}

/// A PNG chunk (RFC 2083, 3.2).
std::string chunk(const std::string& name, const std::string& data) {
  const auto body = name + data;
  const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()),
                           static_cast<uInt>(body.size()));
  return big(static_cast<std::uint32_t>(data.size())) + body
         + big(static_cast<std::uint32_t>(sum));
}

std::string png_head(std::uint32_t width, std::uint32_t height) {
  return "\x89PNG\r\n\x1a\n"
         + chunk("IHDR",
                 big(width) + big(height) + std::string("\1\0\0\0\0", 5));
}

/// One bit a pixel, all of one colour: a few kilobytes for any size.
std::string flat_png(std::uint32_t width, std::uint32_t height) {
  const std::string row(width / 8 + 2, '\0');
  z_stream packer{};
  ::deflateInit(&packer, 9);
  std::string packed;
  std::string room(1 << 16, '\0');
  for (std::uint32_t y = 0; y < height; ++y) {
    packer.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(row.data()));
    packer.avail_in = static_cast<uInt>((width + 7) / 8 + 1);
    do {
      packer.next_out = reinterpret_cast<Bytef*>(room.data());
      packer.avail_out = static_cast<uInt>(room.size());
      ::deflate(&packer, y + 1 == height ? Z_FINISH : Z_NO_FLUSH);
      packed.append(room, 0, room.size() - packer.avail_out);
    } while (packer.avail_out == 0);
  }
  ::deflateEnd(&packer);
  return png_head(width, height) + chunk("IDAT", packed) + chunk("IEND", "");
}

/// A GIF whose frames are single pixels.
std::string gif_of(int frames) {
  std::string bytes = "GIF89a" + little(1, 2) + little(1, 2)
                      + std::string("\x80\0\0\0\0\0\xff\xff\xff", 9);
  const std::string frame = std::string{','} + little(0, 4) + little(1, 2)
                            + little(1, 2) + std::string("\0\2\2\x44\1\0", 6);
  for (int i = 0; i < frames; ++i)
    bytes += frame;
  return bytes + ';';
}

std::string apng_of(int frames) {
  auto bytes = png_head(1, 1) + chunk("acTL", big(frames) + big(0));
  for (int i = 0; i < frames; ++i)
    bytes += chunk("fcTL", std::string(26, '\0'));
  return bytes + chunk("IDAT", std::string("\x78\x9c\x63\x60\0\0\0\2\0\1", 10))
         + chunk("IEND", "");
}

using test_clock = std::chrono::steady_clock;

class BadImages : public Images {
protected:
  /// A task of a child that has been born already.
  void warm() {
    paint("seed.ppm", 64, 48);
    shell("vips copy seed.ppm seed.png");
    make_one("w:10", "seed.png");
  }

  /// With the milliseconds that it took.
  errc refusal_of(const std::string& source, double& took) {
    const auto start = test_clock::now();
    const auto code = Images::refusal_of(order_of({"w:10/f:png"}), source);
    took = std::chrono::duration<double, std::milli>(test_clock::now() - start)
             .count();
    return code;
  }

  /// Whether it still works for others.
  bool goes_on() {
    return make_one("w:10", "seed.png").width == 10;
  }
};

TEST_F(BadImages, AreRefusedByTheirHeader) {
  warm();
  write("bomb.png", flat_png(60'000, 60'000));
  write("film.gif", gif_of(100'000));
  write("lies.png", png_head(2'000'000'000, 2'000'000'000));
  write("line.png", png_head(2'000'000, 1));
  double took = 0;

  EXPECT_LT(read("bomb.png").size(), 600'000u);
  EXPECT_EQ(refusal_of("bomb.png", took), errc::too_large);
  EXPECT_LT(took, 1'000);
  EXPECT_EQ(refusal_of("film.gif", took), errc::too_large);
  EXPECT_LT(took, 5'000);
  EXPECT_EQ(refusal_of("lies.png", took), errc::too_large);
  EXPECT_EQ(refusal_of("line.png", took), errc::too_large);
  EXPECT_TRUE(goes_on());
}

TEST_F(BadImages, ThatSayTheyMoveAreStillsWhereTheirFormatIs) {
  warm();
  write("film.png", apng_of(100'000));
  const auto start = test_clock::now();

  const auto made = make_one("f:png", "film.png");

  EXPECT_EQ(made.frames, 1u);
  EXPECT_EQ(made.width, 1u);
  EXPECT_EQ(made.height, 1u);
  EXPECT_LT(test_clock::now() - start, std::chrono::seconds{5});
}

TEST_F(BadImages, AreRefusedWhateverTheirName) {
  warm();
  write("empty.jpg", "");
  write("text.jpg", "<html><body>no</body></html>");
  write("vector.png", "<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'aaa'>"
                      "<!ENTITY b '&a;&a;'>]><svg>&b;</svg>");
  write("film.jpg", std::string{"\0\0\0\x18"
                                "ftypisom\0\0\0\0isommp42",
                                24});
  write("script.gif", "GIF89a/*" + std::string(100, ' ') + "*/=1;alert(1)");
  write("magick.png", "push graphic-context\nimage over 0,0 0,0 'x'\n");
  double took = 0;

  for (const auto* name : {"empty.jpg", "text.jpg", "vector.png", "film.jpg",
                           "script.gif", "magick.png"})
    EXPECT_EQ(refusal_of(name, took), errc::invalid_media) << name;
  EXPECT_TRUE(goes_on());
}

TEST_F(BadImages, AreReadByWhatTheyAreNotByTheirName) {
  warm();
  shell("cp seed.png seed.jpg");

  EXPECT_EQ(make_one("w:10", "seed.jpg").format, image_format::png);
}

TEST_F(BadImages, AreNoRegularFiles) {
  warm();
  shell("mkdir folder && mkfifo pipe");
  double took = 0;

  EXPECT_EQ(refusal_of("folder", took), errc::io_error);
  descriptor pipe{::open(path("pipe").c_str(), O_RDWR | O_CLOEXEC)};
  EXPECT_EQ(run(image_task(order_of({"w:1"}), std::move(pipe))).code,
            errc::io_error);
  EXPECT_TRUE(goes_on());
}

TEST_F(BadImages, ThatAreTruncatedAreTakenIfAskedOnly) {
  warm();
  photo("photo.jpg");
  const auto whole = read("photo.jpg");
  write("half.jpg", whole.substr(0, whole.size() / 2));
  auto lenient = order_of({"w:300/f:png"});
  lenient.lenient = true;
  double took = 0;

  EXPECT_EQ(refusal_of("half.jpg", took), errc::invalid_media);
  const auto made = make(std::move(lenient), "half.jpg");
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->outputs.front().width, 300u);
}

TEST_F(BadImages, AboveALimitAreTooLarge) {
  warm();
  const auto code_with = [&](auto change) {
    auto order = order_of({"w:10/f:png"});
    change(order);
    return Images::refusal_of(std::move(order), "seed.png");
  };

  EXPECT_EQ(code_with([](image_order& o) { o.limits.bytes = 100; }),
            errc::too_large);
  EXPECT_EQ(code_with([](image_order& o) { o.limits.pixels = 3'000; }),
            errc::too_large);
  EXPECT_EQ(code_with([](image_order& o) { o.limits.result_side = 9; }),
            errc::too_large);
  EXPECT_EQ(code_with([](image_order& o) { o.limits.result_bytes = 9; }),
            errc::too_large);
  EXPECT_EQ(Images::refusal_of(order_of({"w:10/msr:0.001"}), "seed.png"),
            errc::too_large);
  EXPECT_EQ(Images::refusal_of(order_of({"w:10/msfs:10"}), "seed.png"),
            errc::too_large);
  EXPECT_EQ(Images::refusal_of(order_of({"w:60000/h:60000/el:1"}), "seed.png"),
            errc::too_large);
  EXPECT_EQ(code_with([](image_order& o) { o.readable.clear(); }),
            errc::invalid_media);
}

TEST_F(BadImages, OfOneOrderFailAlone) {
  warm();

  const auto made = make(order_of({"w:10", "w:60000/el:1"}), "seed.png");

  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->outputs[0].code, errc::none);
  EXPECT_EQ(made->outputs[1].code, errc::too_large);
}

TEST_F(BadImages, WithOtherColorsBecomeOurs) {
  paint("photo.ppm", 120, 90);
  shell("vips copy photo.ppm photo.png && "
        "vips icc_export photo.png cmyk.tif --output-profile cmyk && "
        "vips jpegsave cmyk.tif cmyk.jpg --Q 98 && "
        "vips icc_transform cmyk.jpg cmyk.png srgb --embedded && "
        "vips icc_transform photo.png p3.png p3 --input-profile srgb && "
        "vips icc_transform p3.png p3ref.png srgb --embedded && "
        "vips colourspace photo.png deep.png rgb16 && "
        "vips colourspace photo.png gray.png b-w && "
        "vips colourspace gray.png gray3.png srgb");

  EXPECT_GE(
    psnr_of(pixels_of(make_one("f:png", "cmyk.jpg")), pixels_of("cmyk.png")),
    40);
  EXPECT_GE(
    psnr_of(pixels_of(make_one("f:png", "p3.png")), pixels_of("p3ref.png")),
    40);
  EXPECT_GE(
    psnr_of(pixels_of(make_one("f:png", "deep.png")), pixels_of("photo.png")),
    48);
  EXPECT_GE(
    psnr_of(pixels_of(make_one("f:png", "gray.png")), pixels_of("gray3.png")),
    48);
  const auto kept = make_one("f:png/scp:0", "p3.png");
  EXPECT_EQ(psnr_of(pixels_of(kept), pixels_of("p3.png")), 99);
}

TEST_F(BadImages, WithOtherColorsStandOnAnyGround) {
  paint("photo.ppm", 120, 90);
  shell("vips copy photo.ppm photo.png && "
        "vips icc_export photo.png cmyk.tif --output-profile cmyk && "
        "vips jpegsave cmyk.tif cmyk.jpg --Q 98 && "
        "vips icc_transform cmyk.jpg cmyk.png srgb --embedded && "
        "vips embed cmyk.png padded.png 10 10 140 110 --extend background "
        "--background '255 0 0'");

  const auto made = make_one("f:png/scp:0/pd:10/bg:ff0000", "cmyk.jpg");

  EXPECT_EQ(made.width, 140u);
  EXPECT_GE(psnr_of(pixels_of(made), pixels_of("padded.png")), 40);
}

/// Every file is answered with a word of ours, by one child, which may have to
/// be born again.
TEST_F(BadImages, ThatWereMutatedAreAllAnswered) {
  warm();
  paint("small.ppm", 90, 70);
  shell("vips copy small.ppm m.jpg && vips copy small.ppm m.png && "
        "vips copy small.ppm m.webp && vips copy small.ppm m.gif && "
        "vips heifsave small.ppm m.avif --compression av1 --effort 0 && "
        "vips jpegsave small.ppm n.jpg --interlace");
  write("e.jpg", with_exif(read("m.jpg"), 6));
  std::mt19937 random{20261123};
  int made = 0;
  int refused = 0;
  for (const std::string name :
       {"m.jpg", "n.jpg", "e.jpg", "m.png", "m.webp", "m.gif", "m.avif"}) {
    const auto whole = read(name);
    for (int i = 0; i < 45; ++i) {
      auto bytes = whole;
      const int changes = 1 + static_cast<int>(random() % 8);
      for (int c = 0; c < changes; ++c)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      if (i % 5 == 0)
        bytes.resize(random() % bytes.size());
      write("mutant", bytes);
      const auto end =
        run(image_task(order_of({"w:40/f:webp", "f:png"}), open("mutant")));
      const bool is_answer =
        end.code == errc::none
          ? static_cast<bool>(read_image_result(end.result))
          : end.code == errc::invalid_media || end.code == errc::too_large;
      EXPECT_TRUE(is_answer)
        << name << ' ' << i << ": " << code_of(end.code) << ' ' << end.message;
      ++(end.code == errc::none ? made : refused);
    }
  }
  EXPECT_GT(made, 20);
  EXPECT_GT(refused, 100);
  EXPECT_TRUE(goes_on());
}

} // namespace
} // namespace troupe::media
