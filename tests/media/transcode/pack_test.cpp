#include "media/errc.hpp"
#include "media/transcode/pack_file.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace troupe::media {
namespace {

namespace fs = std::filesystem;

class Pack : public testing::Test {
protected:
  std::shared_ptr<pack_file> open(std::string_view identity = "film") {
    auto opened = pack_file::open(folder_.path(), identity);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message());
    return opened ? *opened : nullptr;
  }

  /// An init and two segments of a track, the second first.
  void fill() {
    const auto pack = open();
    EXPECT_TRUE(pack->add(pack_part::segment, 0, 1, "second"));
    EXPECT_TRUE(pack->add(pack_part::init, 0, 0, "init"));
    EXPECT_TRUE(pack->add(pack_part::segment, 0, 0, "first"));
  }

  temporary_folder folder_;
  const fs::path file_ = folder_.path() / "pack";
};

TEST_F(Pack, HasWhatAnEarlierAttemptMade) {
  fill();

  const auto pack = open();

  EXPECT_TRUE(pack->has(pack_part::segment, 0, 0));
  EXPECT_TRUE(pack->has(pack_part::segment, 0, 1));
  EXPECT_FALSE(pack->has(pack_part::segment, 0, 2));
  EXPECT_FALSE(pack->has(pack_part::segment, 1, 0));
  EXPECT_EQ(pack->init(0), "init");
}

TEST_F(Pack, GivesATrackInItsOrder) {
  fill();
  const auto pack = open();
  const auto reader = pack->reader();

  const auto all = read_pack(reader.get(), true);
  std::string text;
  for (const auto& each : pack_track(all, 0, pack_part::segment))
    text += *read_pack_part(reader.get(), each) + ' ';

  EXPECT_EQ(text, "init first second ");
  EXPECT_TRUE(pack_track(all, 0, pack_part::primer).empty());
  EXPECT_TRUE(pack_track(all, 1, pack_part::segment).empty());
}

TEST_F(Pack, LosesOnlyWhatWasCutOff) {
  fill();
  fs::resize_file(file_, fs::file_size(file_) - 2);

  const auto pack = open();

  EXPECT_TRUE(pack->has(pack_part::segment, 0, 1));
  EXPECT_FALSE(pack->has(pack_part::segment, 0, 0));
  EXPECT_TRUE(pack->add(pack_part::segment, 0, 0, "again"));
  const auto all = read_pack(pack->reader().get(), true);
  EXPECT_EQ(pack_track(all, 0, pack_part::segment).size(), 3u);
}

TEST_F(Pack, BelievesNoBytesThatHaveChanged) {
  fill();
  auto bytes = content_of(file_);
  bytes[bytes.find("init")] = 'x';
  write(file_, bytes);

  const auto pack = open();

  EXPECT_TRUE(pack->has(pack_part::segment, 0, 1));
  EXPECT_FALSE(pack->has(pack_part::init, 0, 0));
}

TEST_F(Pack, BeginsAnewForAnotherPlan) {
  fill();

  const auto pack = open("another");

  EXPECT_FALSE(pack->has(pack_part::segment, 0, 0));
  EXPECT_LT(fs::file_size(file_), 50u);
}

TEST_F(Pack, GivesBackWhatWasWrittenLast) {
  fill();
  auto pack = open();

  pack->shrink(1);

  EXPECT_FALSE(pack->has(pack_part::segment, 0, 0));
  EXPECT_TRUE(pack->has(pack_part::segment, 0, 1));
  const auto added = pack->add(pack_part::segment, 0, 0, "again");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, errc::disk_full);
  EXPECT_EQ(fs::file_size(file_), pack->size());
  pack->shrink(1 << 20);
  EXPECT_EQ(fs::file_size(file_), 0u);
  pack.reset();
  EXPECT_FALSE(open()->has(pack_part::segment, 0, 1));
}

TEST_F(Pack, IsOfOneAttemptAtATime) {
  auto pack = open();
  const auto second = pack_file::open(folder_.path(), "film");
  pack.reset();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::interrupted);
  EXPECT_TRUE(open());
}

} // namespace
} // namespace troupe::media
