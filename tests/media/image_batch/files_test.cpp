#include "media/image_batch/files.hpp"

#include "media/files/publish.hpp"
#include "media/image_batch/file_gate.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace troupe::media {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(BatchLines, AreThoseOfTheCheckpoint) {
  const temporary_folder folder;
  const auto work = folder.path() / "work";
  ASSERT_TRUE(add_lines(work, "one\ntwo\nthree\n"));

  EXPECT_THAT(known_lines(work, 2).value(), ElementsAre("one\n", "two\n"));
  EXPECT_THAT(known_lines(work, 3).value(), IsEmpty());
}

TEST(BatchLines, BeginAnewWhereTheyAreGone) {
  const temporary_folder folder;
  const auto work = folder.path() / "work";

  EXPECT_THAT(known_lines(work, 40).value(), IsEmpty());
  ASSERT_TRUE(add_lines(work, "first\n"));
  EXPECT_THAT(known_lines(work, 1).value(), ElementsAre("first\n"));
}

TEST(BatchLines, GoWithTheListOfSources) {
  const temporary_folder folder;
  const auto work = folder.path() / "work";
  fs::create_directories(folder.path() / "media");
  std::ofstream{folder.path() / "media" / "a.jpg"} << "a";
  config::library_settings library;
  library.media_roots = {folder.path() / "media"};
  batch_params params;
  params.folder = "local:///";
  ASSERT_TRUE(add_lines(work, "of another list\n"));

  EXPECT_THAT(list_sources(params, work, library).value(),
              ElementsAre("local:///a.jpg"));
  EXPECT_THAT(known_lines(work, 1).value(), IsEmpty());
}

TEST(BatchImages, GoUnlessTheyAreTheJobsResult) {
  const temporary_folder folder;
  const auto images = folder.path() / "images";
  for (const auto* name : {"done/a.png", "done/images.jsonl", "not/b.png"})
    ASSERT_TRUE(write_whole(images / name, "x"));
  fs::create_directories(work_folder(folder.path(), "not"));

  discard_batch(folder.path(), "done");
  discard_batch(folder.path(), "not");
  discard_batch(folder.path(), "none");

  EXPECT_TRUE(fs::exists(images / "done" / "a.png"));
  EXPECT_FALSE(fs::exists(images / "not"));
}

TEST(FileGates, LetNothingPassOnceTheyAreShut) {
  file_gate gate;
  EXPECT_TRUE(gate.enter());
  gate.shut();
  EXPECT_FALSE(gate.enter());
}

} // namespace
} // namespace troupe::media
