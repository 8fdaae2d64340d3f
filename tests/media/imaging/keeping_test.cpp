#include "media/imaging/remote_record.hpp"
#include "media/imaging/upload_file.hpp"
#include "media/imaging/variant_book.hpp"

#include "media/errc.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gmock/gmock.h>

namespace troupe::media {
namespace {

using namespace std::chrono_literals;

TEST(RemoteRecords, AreTheSameAfterARestart) {
  const auto steady = freshness_rules::clock::now();
  const auto wall = std::chrono::system_clock::now();
  remote_record known;
  known.digest = key_of("bytes");
  known.size = 5;
  known.look = {image_format::webp, true, false};
  known.etag = "\"quoted\"";
  known.last_modified = "Mon, 23 Nov 2026 06:00:00 GMT";
  known.checked = steady - 40s;

  const auto later =
    read_record(write_record(known, wall, steady), wall + 20s, steady + 1h);

  ASSERT_TRUE(later);
  EXPECT_EQ(later->digest, known.digest);
  EXPECT_EQ(later->size, 5u);
  EXPECT_EQ(later->etag, known.etag);
  EXPECT_EQ(later->last_modified, known.last_modified);
  EXPECT_EQ(later->look.format, image_format::webp);
  EXPECT_TRUE(later->look.animated);
  EXPECT_EQ(later->look.alpha, false);
  const auto age = steady + 1h - later->checked;
  EXPECT_GE(age, 60s - 2ms);
  EXPECT_LE(age, 60s + 2ms);
}

TEST(RemoteRecords, AreNoYoungerByAClockThatWasSetBack) {
  const auto steady = freshness_rules::clock::now();
  const auto wall = std::chrono::system_clock::now();
  remote_record known;
  known.checked = steady;

  const auto later =
    read_record(write_record(known, wall, steady), wall - 1h, steady);

  ASSERT_TRUE(later);
  EXPECT_LE(later->checked, steady);
  EXPECT_FALSE(later->look.alpha);
  EXPECT_FALSE(read_record("", wall, steady));
  EXPECT_FALSE(read_record("{\"digest\":\"x\"}", wall, steady));
}

TEST(VariantBooks, NameTheSmallestThatFeeds) {
  variant_book book;
  const auto add = [&](const char* options) {
    const auto read = parse_options(options, {}).value();
    image_facts source{image_format::jpeg, 2400, 1800};
    book.add("a", {{read, read.format, 0}, source, key_of(options)});
  };
  add("w:1200/f:png");
  add("w:800/f:png");
  add("w:200/f:png");
  const auto wanted = parse_options("w:300", {}).value();

  const auto found = book.feed_of("a", wanted, false);

  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, key_of("w:800/f:png"));
  EXPECT_FALSE(book.feed_of("b", wanted, false));
  book.clear();
  EXPECT_FALSE(book.feed_of("a", wanted, false));
}

TEST(UploadFiles, HoldWhatIsSentAndHaveNoName) {
  const temporary_folder folder;
  auto file = upload_file::open(folder.path() / "new", 10, 0);
  ASSERT_TRUE(file) << file.error().message();
  ASSERT_TRUE(file->add("\xFF\xD8\xFF"));
  ASSERT_TRUE(file->add("rest"));

  const auto input = file->finish();

  ASSERT_TRUE(input);
  EXPECT_EQ((*input)->size, 7u);
  EXPECT_EQ((*input)->look.format, image_format::jpeg);
  EXPECT_TRUE((*input)->identity.starts_with("upload\n"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "new"));
}

TEST(UploadFiles, LeaveWhatIsToStayFree) {
  const temporary_folder folder;

  const auto never = upload_file::open(folder.path(), 1, 1ull << 60);
  const auto too_long = upload_file::open(folder.path(), 1ull << 60, 0);

  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, errc::disk_full);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, errc::disk_full);
}

} // namespace
} // namespace troupe::media
