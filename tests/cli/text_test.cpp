#include "net/cli/text.hpp"

#include <gtest/gtest.h>

namespace troupe::cli {
namespace {

TEST(Printable, LetsNothingReachTheTerminalButText) {
  EXPECT_EQ(printable("a\x1b[31mb\n\x7f"), "a [31mb  ");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            " 31m");
  EXPECT_EQ(printable("x\xff"), "x\xef\xbf\xbd");
  EXPECT_EQ(printable(std::string_view{"a\0b", 3}), "a b");
  EXPECT_EQ(printable("häß 日本 😀"), "häß 日本 😀");
}

TEST(Columns, CountsWideAndCombiningCharacters) {
  EXPECT_EQ(columns("häß"), 3u);
  EXPECT_EQ(columns("日本"), 4u);
  EXPECT_EQ(columns("e\xcc\x81"), 1u);
}

TEST(Clip, CutsBetweenCharactersToTheWidth) {
  EXPECT_EQ(clip("abc", 3), "abc");
  EXPECT_EQ(clip("abcd", 3), "ab…");
  EXPECT_EQ(clip("日本語", 5), "日本…");
  EXPECT_EQ(clip("日本語", 4), "日…");
  EXPECT_EQ(clip("abc", 0), "");
}

TEST(Pad, FillsByColumnsNotBytes) {
  EXPECT_EQ(pad("日", 4), "日  ");
  EXPECT_EQ(pad("abc", 2), "abc");
}

TEST(BytesText, StaysShort) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(104857600), "100.0 MiB");
  EXPECT_EQ(bytes_text(5e15), "4547.5 TiB");
}

TEST(DurationText, ReadsLikeAClock) {
  EXPECT_EQ(duration_text(7), "0:07");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(183600), "2d 3h");
  EXPECT_EQ(duration_text(-1), "-");
}

} // namespace
} // namespace troupe::cli
