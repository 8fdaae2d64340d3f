#include "media/imaging/accept.hpp"
#include "media/imaging/freshness.hpp"
#include "media/imaging/negative_book.hpp"
#include "media/imaging/signature.hpp"
#include "media/imaging/sniff.hpp"

#include "media/errc.hpp"

#include <gmock/gmock.h>

namespace troupe::media {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

config::image_settings signed_by(std::vector<std::string> keys,
                                 std::vector<std::string> salts,
                                 std::uint32_t size = 32) {
  config::image_settings out;
  out.keys = std::move(keys);
  out.salts = std::move(salts);
  out.signature_size = size;
  return out;
}

// The example of imgproxy's documentation ("Signing the URL").
constexpr auto key = "943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c"
                     "6da0881";
constexpr auto salt = "520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9"
                      "fea309c5";
constexpr auto path = "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWd"
                      "l/cy9jdXJpb3NpdHku/anBn.png";

TEST(Signatures, AreThoseOfImgproxy) {
  const url_signer signer{signed_by({key}, {salt})};

  const auto good = signer.sign(path);
  EXPECT_TRUE(signer.is_good(good, path));
  EXPECT_EQ(good.size(), 43u);
  EXPECT_EQ(good, "90UxdwGRAI2bpLSHKkZculJau5ahfxfS0h3fMuQAf40");
}

TEST(Signatures, AreRefusedWhenAnythingDiffers) {
  const url_signer signer{signed_by({key}, {salt})};
  const auto good = signer.sign(path);

  EXPECT_FALSE(signer.is_good(good, path + "x"s));
  EXPECT_FALSE(signer.is_good(good + "A", path));
  EXPECT_FALSE(signer.is_good(good.substr(0, 42), path));
  EXPECT_FALSE(signer.is_good("", path));
  EXPECT_FALSE(signer.is_good("unsafe", path));
}

TEST(Signatures, MayBeOfAnyKeyAndShort) {
  const url_signer first{signed_by({key}, {salt}, 8)};
  const url_signer second{signed_by({"aa"}, {"bb"}, 8)};
  const url_signer both{signed_by({key, "aa"}, {salt, "bb"}, 8)};

  EXPECT_EQ(first.sign(path).size(), 11u);
  EXPECT_TRUE(both.is_good(first.sign(path), path));
  EXPECT_TRUE(both.is_good(second.sign(path), path));
  EXPECT_FALSE(first.is_good(second.sign(path), path));
}

TEST(Signatures, AreAllGoodWithoutKeys) {
  const url_signer signer{{}};

  EXPECT_TRUE(signer.is_good("unsafe", path));
  EXPECT_TRUE(signer.is_good("_", path));
}

TEST(Accept, CountsWhatIsNamedWithAWeight) {
  struct row {
    const char* field;
    bool avif, webp;
  };
  for (const auto& [field, avif, webp] : {
         row{"", false, false},
         row{"*/*", false, false},
         row{"image/*", false, false},
         row{"image/webp", false, true},
         row{"image/avif,image/webp,*/*", true, true},
         row{"image/avif;q=0, image/webp;q=0.1", false, true},
         row{"IMAGE/WebP ; q=1.0", false, true},
         row{"image/webp;q=0.000", false, false},
         row{"image/webp;q=oops", false, false},
         row{"text/html,application/xhtml+xml,image/avif,image/webp,"
             "image/apng,*/*;q=0.8",
             true, true},
         row{"image/webpx,ximage/webp", false, false},
         row{",,;q=1,image/webp", false, true},
       })
    EXPECT_EQ(read_accept(field), (accepted_formats{avif, webp})) << field;
}

TEST(Hints, AreRoundedUpAndBounded) {
  const auto steps = config::image_settings{}.hint_widths;
  const auto dpr = [&](const char* text) {
    return read_hints(text, "", steps).dpr;
  };
  const auto width = [&](const char* text) {
    return read_hints("", text, steps).width;
  };

  EXPECT_EQ(dpr(""), std::nullopt);
  EXPECT_EQ(dpr("2"), 2);
  EXPECT_EQ(dpr("2.625"), 2.75);
  EXPECT_EQ(dpr("1.1"), 1.25);
  EXPECT_EQ(dpr("7"), 3);
  EXPECT_EQ(dpr("-1"), std::nullopt);
  EXPECT_EQ(dpr("x"), std::nullopt);
  EXPECT_EQ(dpr("nan"), std::nullopt);
  EXPECT_EQ(width("nan"), std::nullopt);
  EXPECT_EQ(width("301"), 320);
  EXPECT_EQ(width("320"), 320);
  EXPECT_EQ(width("9999"), 3840);
  EXPECT_EQ(width("0"), std::nullopt);
  EXPECT_EQ(width("1e9"), std::nullopt);
}

TEST(Hints, AreRoundedToTheStepsThatAreConfigured) {
  const std::vector<std::uint32_t> steps{700, 100, 333};

  EXPECT_EQ(read_hints("", "1", steps).width, 100);
  EXPECT_EQ(read_hints("", "101", steps).width, 333);
  EXPECT_EQ(read_hints("", "334", steps).width, 700);
  EXPECT_EQ(read_hints("", "701", steps).width, 700);
}

TEST(Look, KnowsFormatsAndTheirFlags) {
  const auto webp = [](const char* chunk, std::size_t at, int flags) {
    auto out = "RIFF\1\0\0\0WEBP"s + chunk + std::string(40, '\0');
    out[at] = static_cast<char>(flags);
    return look_at(out);
  };
  const auto png = [](int color) {
    auto out = "\x89PNG\r\n\x1A\n"s + std::string(40, '\0');
    out[25] = static_cast<char>(color);
    return look_at(out);
  };

  EXPECT_EQ(look_at("\xFF\xD8\xFF\xE0"s).format, image_format::jpeg);
  EXPECT_EQ(look_at("\xFF\xD8\xFF\xE0"s).alpha, false);
  EXPECT_EQ(png(6).alpha, true);
  EXPECT_EQ(png(2).alpha, std::nullopt);
  EXPECT_TRUE(look_at("GIF89a").animated);
  EXPECT_TRUE(webp("VP8X", 20, 0x12).animated);
  EXPECT_EQ(webp("VP8X", 20, 0x12).alpha, true);
  EXPECT_FALSE(webp("VP8X", 20, 0x10).animated);
  EXPECT_EQ(webp("VP8 ", 20, 0xff).alpha, false);
  EXPECT_EQ(look_at("\0\0\0\x1c"s + "ftypavif").format, image_format::avif);
  EXPECT_EQ(look_at("\0\0\0\x1c"s + "ftypheic").format, image_format::heic);
  EXPECT_EQ(look_at("II*\0"s).format, image_format::tiff);
  EXPECT_EQ(look_at("<svg xmlns='x'>").format, image_format::svg);
  EXPECT_EQ(look_at("").format, image_format::none);
  EXPECT_EQ(look_at("RIFF").format, image_format::none);
  EXPECT_EQ(look_at("hello, world").format, image_format::none);
}

TEST(Negotiation, KeepsWhatTheSourceHas) {
  using f = image_format;
  const accepted_formats none{}, webp{false, true}, all{true, true};
  struct row {
    image_look source;
    accepted_formats accepted;
    image_format expected;
  };
  for (const auto& [source, accepted, expected] : {
         row{{f::jpeg, false, false}, none, f::none},
         row{{f::jpeg, false, false}, webp, f::webp},
         row{{f::jpeg, false, false}, all, f::avif},
         row{{f::gif, true, {}}, none, f::none},
         row{{f::gif, true, {}}, all, f::webp},
         row{{f::gif, true, {}}, {true, false}, f::none},
         row{{f::webp, true, true}, none, f::gif},
         row{{f::webp, false, true}, none, f::png},
         row{{f::webp, false, false}, none, f::jpeg},
         row{{f::avif, false, {}}, none, f::png},
         row{{f::avif, false, {}}, all, f::avif},
         row{{f::png, false, true}, none, f::none},
       })
    EXPECT_EQ(choose_format(source, accepted), expected)
      << name_of(source.format);
}

TEST(Freshness, EndsInSteps) {
  const freshness_rules rules{300s, 60s};
  const auto then = freshness_rules::clock::time_point{} + 1h;

  EXPECT_EQ(rules.of(then, then), freshness::fresh);
  EXPECT_EQ(rules.of(then, then + 299s), freshness::fresh);
  EXPECT_EQ(rules.of(then, then + 300s), freshness::stale);
  EXPECT_EQ(rules.of(then, then + 359s), freshness::stale);
  EXPECT_EQ(rules.of(then, then + 360s), freshness::gone);
}

TEST(NegativeBook, TellsFailuresAgainForAWhile) {
  negative_book book{10s};
  const auto then = negative_book::clock::time_point{} + 1h;
  book.put(key_of("a"), fail(errc::invalid_media, "no image"), then);

  ASSERT_TRUE(book.find(key_of("a"), then + 9s));
  EXPECT_EQ(book.find(key_of("a"), then + 9s)->detail, "no image");
  EXPECT_FALSE(book.find(key_of("a"), then + 10s));
  EXPECT_FALSE(book.find(key_of("b"), then));
  book.clear();
  EXPECT_FALSE(book.find(key_of("a"), then));
}

TEST(NegativeBook, IsBounded) {
  negative_book book{10s};
  const auto then = negative_book::clock::time_point{} + 1h;
  for (int i = 0; i < 20'000; ++i)
    book.put(key_of(std::to_string(i)), fail(errc::timeout), then);

  EXPECT_FALSE(book.find(key_of("0"), then));
  EXPECT_TRUE(book.find(key_of("19999"), then));
}

} // namespace
} // namespace troupe::media
