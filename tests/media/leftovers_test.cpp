#include "media/files/leftovers.hpp"
#include "media/files/publish.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gmock/gmock.h>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// A library in which jobs left folders.
class leftovers : public testing::Test {
protected:
  [[nodiscard]] const fs::path& library() const {
    return folder_.path();
  }

  [[nodiscard]] std::vector<std::string> jobs() const {
    std::vector<std::string> names;
    for (const auto& it : find_leftovers(library()))
      names.push_back(it.job);
    return names;
  }

private:
  temporary_folder folder_;
};

TEST_F(leftovers, AreOneForAllFoldersOfAJob) {
  fs::create_directories(staging_folder(library(), "a", 1));
  fs::create_directories(staging_folder(library(), "a", 12));
  fs::create_directories(work_folder(library(), "a"));
  fs::create_directories(work_folder(library(), "b"));

  EXPECT_THAT(jobs(), ElementsAre("a", "b"));
}

TEST_F(leftovers, AreNothingElse) {
  EXPECT_THAT(jobs(), IsEmpty());
  ASSERT_NE(library_id(library()), "");
  write(library() / ".troupe" / "a.1", "a file");
  fs::create_directories(library() / ".troupe" / "a.");
  fs::create_directories(library() / ".troupe" / ".7");
  fs::create_directories(library() / ".troupe" / "a.7b");

  EXPECT_THAT(jobs(), IsEmpty());
}

TEST_F(leftovers, AreAsFreshAsTheirNewestFile) {
  const auto long_ago = fs::file_time_type::clock::now() - 48h;
  const auto part = work_folder(library(), "a") / "1" / "clip.part";
  write(part, "bytes");
  fs::last_write_time(part, long_ago + 1h);
  fs::last_write_time(part.parent_path(), long_ago);
  fs::last_write_time(work_folder(library(), "a"), long_ago);

  const auto found = find_leftovers(library());

  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].touched, long_ago + 1h);
}

} // namespace

} // namespace troupe::media
