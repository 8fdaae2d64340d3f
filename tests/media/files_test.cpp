#include "media/errc.hpp"
#include "media/files/digest.hpp"
#include "media/files/free_name.hpp"
#include "media/files/names.hpp"
#include "media/files/sync.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;
using testing::SizeIs;

TEST(Files, AFullDiskIsToldFromOtherErrors) {
  const temporary_folder folder;
  const auto* where = folder.path().c_str();
  if (::mount("none", where, "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "may not mount a small file system: "
                 << std::strerror(errno);
  const auto written =
    write_file_synced(folder.path() / "big", std::string(1u << 20, 'x'));
  const auto left = fs::is_empty(folder.path());
  ::umount(where);

  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, errc::disk_full);
  EXPECT_TRUE(left);
}

TEST(Files, AWrittenFileIsReplacedAsAWhole) {
  const temporary_folder folder;
  const auto file = folder.path() / "state";

  ASSERT_TRUE(write_file_synced(file, "old", 0600));
  ASSERT_TRUE(write_file_synced(file, "new", 0600));

  EXPECT_EQ(content_of(file), "new");
  struct stat facts {};
  ASSERT_EQ(::stat(file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777u, 0600u);
  EXPECT_FALSE(write_file_synced(folder.path() / "no" / "such", "x"));
}

TEST(Files, DigestsAreThoseOfTheStandard) {
  const temporary_folder folder;
  write(folder.path() / "abc", "abc");
  constexpr auto expected =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  EXPECT_EQ(sha256_hex("abc"), expected);
  const auto digest = digest_of(folder.path() / "abc");
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->sha256, expected);
  EXPECT_EQ(digest->size, 3);
  EXPECT_EQ(digest_of(folder.path() / "none").error().code, errc::io_error);
}

struct hostile_title {
  std::string_view title;
  std::string_view safe;
};

TEST(SafeSegment, MakesAnyTitleOneHarmlessName) {
  using namespace std::string_view_literals;
  const hostile_title cases[] = {
    {"plain", "plain"},
    {"..", "none"},
    {"", "none"},
    {" . . ", "none"},
    {"../../etc/passwd", "_.._etc_passwd"},
    {"a/b\\c", "a_b_c"},
    {"a\0b"sv, "ab"},
    {"line\nbreak\ttab", "line break tab"},
    {".hidden", "hidden"},
    {"trailing. ", "trailing"},
    {"CON", "_CON"},
    {"con.txt", "_con.txt"},
    {"Lpt1", "_Lpt1"},
    {"NUL .a", "_NUL .a"},
    {"CONE", "CONE"},
    {"COM0", "COM0"},
    {"photo\u202Egpj.exe", "photogpj.exe"},
    {"\u2066a\u2069\u200Fb\uFEFF", "ab"},
    {"caf\u00E9 \U0001F468\u200D\U0001F469",
     "caf\u00E9 \U0001F468\u200D\U0001F469"},
    {"bad \xC3( \xFF", "bad _( _"},
    {"\xC0\xAF..", "__"},
    {"\xED\xA0\x80", "___"},
    {"what? \"this\" <is>|*:", "what_ _this_ _is____"},
  };
  for (const auto& [title, safe] : cases)
    EXPECT_EQ(safe_segment(title, "none"), safe);
}

TEST(SafeSegment, CutsBetweenCodePoints) {
  std::string faces;
  for (int at = 0; at < 100; ++at)
    faces += "\U0001F600";

  EXPECT_THAT(safe_segment(faces, "none"), SizeIs(180));
  EXPECT_THAT(safe_segment(faces, "none", 181), SizeIs(180));
  EXPECT_THAT(safe_segment(faces, "none", 3), testing::StrEq("none"));
  EXPECT_EQ(safe_segment("ab   cd", "none", 4), "ab");
}

TEST(FreeName, NumbersBeforeTheExtension) {
  EXPECT_EQ(numbered("a.mp4", "a", 2), "a (2).mp4");
  EXPECT_EQ(numbered("a.en.vtt", "a", 2), "a (2).en.vtt");
  EXPECT_EQ(numbered("b.jpg", "a", 3), "b (3).jpg");
  EXPECT_EQ(numbered("a", "a", 2), "a (2)");
  EXPECT_EQ(numbered("Mr. Big", "Mr. Big", 2), "Mr. Big (2)");
  const auto longest =
    numbered(std::string(250, 'x') + ".mp4", std::string(250, 'x'), 12);
  EXPECT_THAT(longest, SizeIs(255));
  EXPECT_TRUE(longest.ends_with(" (12).mp4"));
}

} // namespace

} // namespace troupe::media
