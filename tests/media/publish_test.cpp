#include "media/errc.hpp"
#include "media/files/digest.hpp"
#include "media/files/library_root.hpp"
#include "media/files/place.hpp"
#include "media/files/publish.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A library with one job's staging folder.
class publishing : public testing::Test {
protected:
  staged_file stage(const std::string& name, std::string_view bytes) {
    const auto folder = staging_folder(library(), "j1", 1);
    write(folder / name, bytes);
    return {(folder / name).string(), (library() / "up" / name).string(),
            static_cast<std::int64_t>(bytes.size()), sha256_hex(bytes), false};
  }

  [[nodiscard]] const fs::path& library() const {
    return folder_.path();
  }
  [[nodiscard]] std::string in_library(const std::string& name) const {
    return content_of(library() / "up" / name);
  }
  [[nodiscard]] std::size_t published() const {
    const auto folder = library() / "up";
    if (!fs::exists(folder))
      return 0;
    return static_cast<std::size_t>(
      std::distance(fs::directory_iterator{folder}, {}));
  }

private:
  temporary_folder folder_;
};

TEST_F(publishing, LinksEachFileUnderItsFinalName) {
  const auto film = stage("film.mp4", "picture");
  const auto text = stage("film.en.vtt", "words");

  const auto done = publish(R"({"path":"x"})", {text, film});

  ASSERT_TRUE(done) << done.error().message();
  EXPECT_THAT(done->renamed, IsEmpty());
  EXPECT_EQ(done->result, R"({"path":"x"})");
  EXPECT_EQ(in_library("film.mp4"), "picture");
  EXPECT_EQ(in_library("film.en.vtt"), "words");
}

TEST_F(publishing, MayBeRepeatedAtAnyPoint) {
  const std::vector files{stage("a.vtt", "1"), stage("a.jpg", "2"),
                          stage("a.mp4", "3")};

  for (std::size_t linked = 0; linked <= files.size(); ++linked) {
    fs::remove_all(library() / "up");
    fs::create_directories(library() / "up");
    for (std::size_t at = 0; at < linked; ++at)
      fs::create_hard_link(files[at].staged, files[at].final_path);

    for (int again = 0; again < 2; ++again) {
      const auto done = publish("{}", files);
      ASSERT_TRUE(done) << done.error().message();
      EXPECT_THAT(done->renamed, IsEmpty());
      EXPECT_EQ(published(), 3u);
    }
  }
}

TEST_F(publishing, TakesAFileOfTheSameContentForItsOwn) {
  const auto film = stage("film.mp4", "picture");
  write(film.final_path, "picture");

  const auto done = publish("{}", {film});

  ASSERT_TRUE(done) << done.error().message();
  EXPECT_THAT(done->renamed, IsEmpty());
  EXPECT_EQ(published(), 1u);
}

TEST_F(publishing, LeavesWhatLiesBesideAFileThatStandsAlready) {
  const auto film = stage("film.mp4", "picture");
  const auto info = stage("film.info.json", "what is told today");
  const auto text = stage("film.en.vtt", "words");
  write(film.final_path, "picture");
  write(info.final_path, "what was told then");
  const auto told = R"({"info_json":")" + info.final_path + R"("})";

  const auto done = publish(told, {text, info, film});

  ASSERT_TRUE(done) << done.error().message();
  EXPECT_THAT(done->renamed, IsEmpty());
  EXPECT_EQ(done->result, told);
  EXPECT_EQ(in_library("film.info.json"), "what was told then");
  EXPECT_EQ(in_library("film.en.vtt"), "words");
  EXPECT_EQ(published(), 3u);
}

TEST_F(publishing, OffersTheNextFreeNameAndLinksNothing) {
  const auto film = stage("film.mp4", "picture");
  write(film.final_path, "another");
  write(library() / "up" / "film (2).mp4", "a third");

  const auto done = publish(R"({"path":")" + film.final_path + R"("})", {film});

  ASSERT_TRUE(done) << done.error().message();
  ASSERT_THAT(done->renamed, SizeIs(1));
  const auto expected = (library() / "up" / "film (3).mp4").string();
  EXPECT_EQ(done->renamed[0].final_path, expected);
  EXPECT_EQ(done->result, R"({"path":")" + expected + R"("})");
  EXPECT_EQ(published(), 2u);

  const auto second = publish(done->result, done->renamed);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_THAT(second->renamed, IsEmpty());
  EXPECT_EQ(in_library("film (3).mp4"), "picture");
  EXPECT_EQ(in_library("film.mp4"), "another");
}

TEST_F(publishing, RenamesTheFilesOfAJobTogether) {
  const auto film = stage("film.mp4", "picture");
  const auto text = stage("film.en.vtt", "words");
  write(film.final_path, "another");

  const auto done = publish("{}", {text, film});

  ASSERT_TRUE(done) << done.error().message();
  ASSERT_THAT(done->renamed, SizeIs(2));
  EXPECT_THAT(done->renamed[0].final_path, HasSubstr("film (2).en.vtt"));
  EXPECT_THAT(done->renamed[1].final_path, HasSubstr("film (2).mp4"));
  EXPECT_EQ(published(), 1u);
}

TEST_F(publishing, FollowsARenamingInsideTheResult) {
  const auto film = stage("film.mp4", "picture");
  write(film.final_path, "another");
  const auto old_path = "\"" + film.final_path + "\"";

  const auto done = publish(
    R"({"files":[{"path":)" + old_path + R"(}],"title":"film.mp4"})", {film});

  ASSERT_TRUE(done) << done.error().message();
  EXPECT_THAT(done->result, HasSubstr("film (2).mp4"));
  EXPECT_THAT(done->result, HasSubstr(R"("title":"film.mp4")"));
  EXPECT_THAT(done->result, Not(HasSubstr(old_path)));
}

TEST_F(publishing, ReplacesAFileWhereThatWasAskedFor) {
  auto film = stage("film.mp4", "picture");
  film.replace = true;
  write(film.final_path, "another");

  for (int again = 0; again < 2; ++again) {
    const auto done = publish("{}", {film});
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_THAT(done->renamed, IsEmpty());
    EXPECT_EQ(in_library("film.mp4"), "picture");
    EXPECT_EQ(published(), 1u);
  }
}

TEST_F(publishing, NeverTakesThePlaceOfAFolder) {
  auto film = stage("film.mp4", "picture");
  film.replace = true;
  fs::create_directories(film.final_path);

  const auto done = publish("{}", {film});

  ASSERT_TRUE(done) << done.error().message();
  EXPECT_THAT(done->renamed, SizeIs(1));
}

TEST_F(publishing, RefusesAFolderThatLeadsOutOfTheLibrary) {
  const temporary_folder outside;
  fs::create_directory_symlink(outside.path(), library() / "up");
  const auto film = stage("film.mp4", "picture");

  const auto done = publish("{}", {film});

  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::io_error);
  EXPECT_THAT(done.error().detail, HasSubstr("leads out"));
  EXPECT_TRUE(fs::is_empty(outside.path()));
}

TEST_F(publishing, FollowsALinkThatStaysInTheLibrary) {
  fs::create_directories(library() / "real");
  fs::create_directory_symlink("real", library() / "up");
  const auto film = stage("film.mp4", "picture");

  const auto done = publish("{}", {film});

  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(content_of(library() / "real" / "film.mp4"), "picture");
}

TEST_F(publishing, RefusesNamesOutsideTheLibrary) {
  auto film = stage("film.mp4", "picture");
  for (const auto* path : {"/../escaped.mp4", "/up/../../escaped.mp4",
                           "/.troupe/other.1/film.mp4"}) {
    film.final_path = library().string() + path;
    const auto done = publish("{}", {film});
    ASSERT_FALSE(done) << path;
    EXPECT_THAT(done.error().detail, HasSubstr("not in the library"));
  }
}

TEST_F(publishing, RefusesWhatIsNotTheCommittedFile) {
  auto film = stage("film.mp4", "picture");
  film.size = 3;
  EXPECT_FALSE(publish("{}", {film}));

  fs::remove(film.staged);
  fs::create_symlink("/etc/hostname", film.staged);
  EXPECT_FALSE(publish("{}", {film}));

  fs::remove(film.staged);
  EXPECT_FALSE(publish("{}", {film}));
  EXPECT_EQ(published(), 0u);
}

TEST_F(publishing, KnowsALostResultFromOneOfAnotherLibrary) {
  auto film = stage("film.mp4", "picture");
  film.library = library_id(library());
  fs::remove(film.staged);

  const auto here = publish("{}", {film});
  film.library[0] = film.library[0] == '0' ? '1' : '0';
  const auto elsewhere = publish("{}", {film});
  film.library.clear();
  const auto nowhere = publish("{}", {film});

  ASSERT_FALSE(here);
  EXPECT_EQ(here.error().code, errc::result_lost);
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, errc::io_error);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, errc::io_error);
}

TEST_F(publishing, NamesALibraryOnce) {
  const auto name = library_id(library());

  EXPECT_THAT(name, SizeIs(32));
  EXPECT_EQ(library_id(library()), name);
  EXPECT_EQ(known_library_id(library()), name);
  EXPECT_THAT(known_library_id(library() / "other"), IsEmpty());
}

TEST_F(publishing, RenamesWhereHardLinksAreMissing) {
  const auto film = stage("film.mp4", "picture");
  const auto root = library_root::open(library());
  ASSERT_TRUE(root);
  const auto folder = root->made_folder("up");
  ASSERT_TRUE(folder);

  EXPECT_EQ(place_by_rename(folder->get(), "film.mp4", film).value(),
            occupant::ours);
  const auto again = publish("{}", {film});

  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(in_library("film.mp4"), "picture");
  EXPECT_FALSE(fs::exists(film.staged));
  const auto other = stage("film.mp4", "other");
  EXPECT_EQ(place_by_rename(folder->get(), "film.mp4", other).value(),
            occupant::foreign);
}

TEST_F(publishing, LosesNoFileWhenManyWantOneName) {
  constexpr int writers = 8;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer)
    threads.emplace_back([this, writer] {
      const auto bytes = "content " + std::to_string(writer);
      const auto id = "j" + std::to_string(writer);
      const auto staged = staging_folder(library(), id, 1) / "same.mp4";
      write(staged, bytes);
      std::vector<staged_file> manifest{
        {staged.string(), (library() / "up" / "same.mp4").string(),
         static_cast<std::int64_t>(bytes.size()), sha256_hex(bytes), false}};
      for (int tries = 0; tries < 100; ++tries) {
        const auto done = publish("{}", manifest);
        ASSERT_TRUE(done) << done.error().message();
        if (done->renamed.empty())
          return;
        manifest = done->renamed;
      }
      ADD_FAILURE() << "no name after 100 tries";
    });
  for (auto& thread : threads)
    thread.join();

  EXPECT_EQ(published(), std::size_t{writers});
}

TEST_F(publishing, DiscardsStagingAndWhatAJobLeft) {
  stage("film.mp4", "picture");
  write(work_folder(library(), "j1") / "film.part", "half");
  write(work_folder(library(), "j10") / "film.part", "half");

  discard_staging(library(), "j1", 1);
  EXPECT_FALSE(fs::exists(staging_folder(library(), "j1", 1)));
  EXPECT_TRUE(fs::exists(work_folder(library(), "j1")));

  discard_job(library(), "j1");
  EXPECT_FALSE(fs::exists(work_folder(library(), "j1")));
  EXPECT_TRUE(fs::exists(work_folder(library(), "j10")));
}

} // namespace

} // namespace troupe::media
