#include "tests/media/image/options_of.hpp"

#include "media/image/derivation.hpp"

#include <sstream>

namespace troupe::media {
namespace {

constexpr pixel_size photo{4000, 3000};

std::string text_of(pixel_size size) {
  return std::to_string(size.width) + 'x' + std::to_string(size.height);
}

struct sizing {
  const char* options;
  pixel_size stored;
  int orientation;
  const char* scaled;
  const char* cut;
  const char* result;
};

class ImageGeometry : public testing::TestWithParam<sizing> {};

TEST_P(ImageGeometry, FollowsTheOptions) {
  const auto& given = GetParam();

  const auto made =
    geometry_of(given.stored, given.orientation, options_of(given.options));

  EXPECT_EQ(text_of(made.scaled), given.scaled);
  EXPECT_EQ(text_of(made.cut), given.cut);
  EXPECT_EQ(text_of(made.result), given.result);
}

INSTANTIATE_TEST_SUITE_P(
  Sizes, ImageGeometry,
  testing::Values(
    sizing{"", photo, 1, "4000x3000", "4000x3000", "4000x3000"},
    sizing{"rs:fit:300:300", photo, 1, "300x225", "300x225", "300x225"},
    sizing{"rs:fit:300", photo, 1, "300x225", "300x225", "300x225"},
    sizing{"rs:fit:300:300", photo, 6, "225x300", "225x300", "225x300"},
    sizing{"rs:fit:300:300/ar:0", photo, 6, "300x225", "300x225", "300x225"},
    sizing{"rs:fit:300:300/rot:90", photo, 1, "225x300", "225x300", "225x300"},
    sizing{"rs:fill:300:300", photo, 1, "400x300", "300x300", "300x300"},
    sizing{"rs:force:300:300", photo, 1, "300x300", "300x300", "300x300"},
    sizing{"rs:auto:300:200", photo, 1, "300x225", "300x200", "300x200"},
    sizing{"rs:auto:200:300", photo, 1, "200x150", "200x150", "200x150"},
    sizing{"rs:fit:300:300/dpr:2", photo, 1, "600x450", "600x450", "600x450"},
    sizing{"rs:fit:300:300/z:2", photo, 1, "600x450", "600x450", "600x450"},
    sizing{"rs:fit:300:300", {200, 100}, 1, "200x100", "200x100", "200x100"},
    sizing{"rs:fit:300:300:1", {200, 100}, 1, "300x150", "300x150", "300x150"},
    sizing{"rs:fill:300:300", {200, 100}, 1, "200x100", "200x100", "200x100"},
    sizing{
      "rs:fill-down:300:300", {200, 100}, 1, "200x100", "100x100", "100x100"},
    sizing{
      "rs:fit:300:300:0:1", {200, 100}, 1, "200x100", "200x100", "300x300"},
    sizing{"rs:fit:300:300/exar:1", photo, 1, "300x225", "300x225", "300x300"},
    sizing{"rs:fit:10/mw:100", photo, 1, "100x75", "10x75", "10x75"},
    sizing{"c:1000:1000/rs:fit:100", photo, 1, "100x100", "100x100", "100x100"},
    sizing{"c:0.5:0.5", photo, 1, "2000x1500", "2000x1500", "2000x1500"},
    sizing{"rs:fit:300:300/pd:10:20", photo, 1, "300x225", "300x225",
           "340x245"},
    sizing{"mrd:200", photo, 1, "200x150", "200x150", "200x150"},
    sizing{"mrd:200", photo, 6, "150x200", "150x200", "150x200"},
    sizing{"mrd:5000", photo, 1, "4000x3000", "4000x3000", "4000x3000"},
    sizing{"rs:fit:300:300/mrd:300", photo, 1, "300x225", "300x225", "300x225"},
    sizing{"rs:fill:400:400/mrd:100", photo, 1, "133x100", "100x100",
           "100x100"},
    sizing{
      "rs:fill-down:400:400/mrd:50", {200, 100}, 1, "100x50", "50x50", "50x50"},
    sizing{"rs:fit:300:300:0:1/mrd:150", photo, 1, "150x113", "150x113",
           "150x150"},
    sizing{"rs:fit:300:300/exar:1/mrd:150", photo, 1, "150x113", "150x113",
           "150x150"},
    sizing{"rs:fit:300:300/pd:50/mrd:200", photo, 1, "150x113", "150x113",
           "200x163"},
    sizing{"mrd:1", {4000, 10}, 1, "1x1", "1x1", "1x1"},
    sizing{"rs:fit:300:300/pd:10/dpr:2", photo, 1, "600x450", "600x450",
           "640x490"}));

TEST(ImageTurn, FindsARegionInTheStoredImage) {
  const pixel_size stored{400, 200};

  // EXIF 6: what is stored on the left is shown at the top.
  EXPECT_EQ(box_before(turn_of(6, {}), {0, 0, 200, 100}, stored),
            (pixel_box{0, 0, 100, 200}));
  EXPECT_EQ(box_before(turn_of(3, {}), {0, 0, 10, 20}, stored),
            (pixel_box{390, 180, 10, 20}));
  EXPECT_EQ(box_before(turn_of(8, {}), {0, 0, 200, 100}, stored),
            (pixel_box{300, 0, 100, 200}));
}

TEST(ImageTurn, AddsUp) {
  EXPECT_EQ(turn_of(6, options_of("rot:270")), turn_of(1, {}));
  EXPECT_EQ(turn_of(1, options_of("fl:1:1")), turn_of(3, {}));
  EXPECT_EQ(turn_of(2, options_of("fl:1:0")), turn_of(1, {}));
  EXPECT_EQ(turn_of(8, options_of("ar:0/rot:90")), turn_of(6, {}));
}

TEST(ImagePlace, FollowsGravity) {
  const pixel_size whole{100, 50};
  const pixel_size part{20, 10};
  const auto at = [&](const char* gravity) {
    const auto box = place(whole, part, options_of(gravity).gravity, 1);
    return std::to_string(box.left) + ',' + std::to_string(box.top);
  };

  EXPECT_EQ(at("g:ce"), "40,20");
  EXPECT_EQ(at("g:nowe"), "0,0");
  EXPECT_EQ(at("g:soea"), "80,40");
  EXPECT_EQ(at("g:soea:5:0.1"), "75,35");
  EXPECT_EQ(at("g:fp:1:0"), "80,0");
  EXPECT_EQ(at("g:fp:0.5:0.5"), "40,20");
  EXPECT_EQ(at("g:we:500"), "80,20");
}

/// Outputs by their options, and from which each is made: "-" is the source.
struct family {
  const char* outputs;
  const char* from;
};

class ImageDerivation : public testing::TestWithParam<family> {
protected:
  static std::string from_of(const std::string& outputs) {
    std::vector<image_options> options;
    std::vector<image_geometry> geometries;
    std::istringstream words{outputs};
    for (std::string word; words >> word;) {
      options.push_back(options_of(word));
      geometries.push_back(geometry_of(photo, 1, options.back()));
    }
    std::string text;
    for (const auto& each : derivations_of(options, geometries))
      text += (text.empty() ? "" : " ")
              + (each.from < 0 ? "-" : std::to_string(each.from));
    return text;
  }
};

TEST_P(ImageDerivation, TakesTheNextLarger) {
  EXPECT_EQ(from_of(GetParam().outputs), GetParam().from);
}

INSTANTIATE_TEST_SUITE_P(
  Rule, ImageDerivation,
  testing::Values(family{"rs:fit:150 rs:fit:300 rs:fit:600", "1 2 -"},
                  family{"rs:fit:300 rs:fit:301", "- -"},
                  family{"rs:fit:300 rs:fit:599", "- -"},
                  family{"rs:fit:300 rs:fit:600", "1 -"},
                  family{"rs:fit:150 rs:fit:400 rs:fit:600", "1 - -"},
                  family{"rs:fill:150:150 rs:fit:600", "1 -"},
                  family{"rs:fill:150:150/g:sm rs:fit:600:600/bl:5", "1 -"},
                  family{"w:150 w:600/wm:1 w:300/bg:f00", "2 - 1"},
                  family{"w:150/c:2000:2000 w:600", "- -"},
                  family{"w:150/c:2000:2000 w:600/c:2000:2000", "1 -"},
                  family{"w:150/c:2000:2000:no w:600/c:2000:2000:so", "- -"},
                  family{"w:150/c:2000:2000:sm w:600/c:2000:2000:ce", "- -"},
                  family{"w:150/c:2000:2000:sm w:600/c:2000:2000:sm", "1 -"},
                  family{"w:150/t:10 w:600", "- -"},
                  family{"w:150/rot:90 w:600", "1 -"},
                  family{"w:150/raw:1 w:600", "- -"},
                  family{"w:150 w:600/raw:1", "- -"},
                  family{"rs:force:150:150 rs:force:600:200", "- -"}));

TEST(ImageDerivation, MakesWhatFeedsFirst) {
  const std::vector<derivation> derived{{1, false}, {2, true}, {-1, true}};

  EXPECT_EQ(making_order(derived), (std::vector<std::size_t>{2, 1, 0}));
}

TEST(ImageDerivation, ShrinksOnTheWayInForTheLargest) {
  const auto shrink_for = [](std::initializer_list<const char*> texts) {
    std::vector<image_geometry> all;
    for (const auto* text : texts)
      all.push_back(geometry_of(photo, 1, options_of(text)));
    return load_shrink(all);
  };

  EXPECT_EQ(shrink_for({"w:300"}), 8);
  EXPECT_EQ(shrink_for({"w:332"}), 8);
  EXPECT_EQ(shrink_for({"w:334"}), 4);
  EXPECT_EQ(shrink_for({"w:664"}), 4);
  EXPECT_EQ(shrink_for({"w:668"}), 2);
  EXPECT_EQ(shrink_for({"w:150", "w:900"}), 2);
  EXPECT_EQ(shrink_for({"w:1332"}), 2);
  EXPECT_EQ(shrink_for({"w:1336"}), 1);
  EXPECT_EQ(shrink_for({"c:2000:1500/w:150"}), 4);
  EXPECT_EQ(shrink_for({"c:2000:1500/w:125"}), 8);
  EXPECT_EQ(shrink_for({""}), 1);
}

} // namespace
} // namespace troupe::media
