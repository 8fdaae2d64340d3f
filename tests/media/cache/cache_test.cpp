#include "config/sanitizers.hpp"
#include "media/cache/disk_cache.hpp"
#include "media/cache/eviction_order.hpp"
#include "media/cache/memory_cache.hpp"

#include "../temporary_folder.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

namespace troupe::media {
namespace {

namespace fs = std::filesystem;
using testing::Eq;
using testing::IsNull;
using testing::NotNull;

constexpr std::uint64_t plenty = 64u << 20;

cached_ptr thing(std::string bytes, float cost = 10,
                 const std::string& source = "s",
                 const std::vector<std::string>& tags = {}) {
  auto out = std::make_shared<cached_bytes>();
  out->note = {1, cost, mark_of(source), {}};
  for (const auto& tag : tags)
    out->note.tags.push_back(mark_of(tag));
  out->digest = key_of(bytes);
  out->bytes = std::move(bytes);
  return out;
}

cache_key key(int number) {
  return key_of("key " + std::to_string(number));
}

/// Of the blobs in a cache's folder.
std::vector<fs::path> blobs(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& each : fs::recursive_directory_iterator{folder})
    if (each.is_regular_file()
        && each.path().parent_path().filename().string().size() == 2)
      out.push_back(each.path());
  return out;
}

TEST(EvictionOrder, PicksWhatIsLargeAndCheapToMakeFirst) {
  eviction_order order;
  order.add(0, 100, 1000);
  order.add(1, 100, 100'000);
  order.add(2, 1, 1000);

  EXPECT_THAT(order.pick(), Eq(1u));
  order.remove(1);
  EXPECT_THAT(order.pick(), Eq(2u));
  order.remove(2);
  EXPECT_THAT(order.pick(), Eq(0u));
}

TEST(EvictionOrder, KeepsWhatIsUsedAndForgetsItWhenItIsNoMore) {
  eviction_order order;
  order.add(0, 1, 1);
  order.add(1, 1, 1);
  order.use(0);
  order.use(0);

  EXPECT_THAT(order.pick(), Eq(1u));
  order.remove(1);
  // What comes later begins where the last one went.
  for (eviction_order::slot at = 2; at < 6; ++at) {
    order.add(at, 1, 1);
    if (order.pick() == 0u)
      return;
    order.remove(*order.pick());
  }
  FAIL() << "what was used once stays for ever";
}

TEST(EvictionOrder, IsEmptyWhenAllAreGone) {
  eviction_order order;
  for (eviction_order::slot at = 0; at < 1000; ++at)
    order.add(at, 1, 1);
  for (eviction_order::slot at = 0; at < 1000; ++at)
    order.remove(at);

  EXPECT_THAT(order.pick(), Eq(std::nullopt));
}

TEST(MemoryCache, StaysWithinItsBudget) {
  memory_cache cache{100'000};
  for (int i = 0; i < 100; ++i)
    cache.put(key(i), thing(std::string(5000, 'x')));

  const auto now = cache.figures();
  EXPECT_LE(now.bytes, 100'000u);
  EXPECT_GT(now.entries, 10u);
  EXPECT_EQ(now.entries + now.evicted, 100u);
  EXPECT_THAT(cache.find(key(99)), NotNull());
}

TEST(MemoryCache, DoesNotTakeWhatWouldEmptyIt) {
  memory_cache cache{8000};
  cache.put(key(1), thing("small"));
  cache.put(key(2), thing(std::string(5000, 'x')));

  EXPECT_THAT(cache.find(key(1)), NotNull());
  EXPECT_THAT(cache.find(key(2)), IsNull());
}

TEST(DiskCache, GivesBackWhatItWasGivenAlsoAfterARestart) {
  temporary_folder folder;
  {
    auto cache = disk_cache::open(folder.path(), plenty).value();
    ASSERT_TRUE(cache->put(key(1), *thing("one", 7, "a", {"t", "u"})));
    ASSERT_THAT(cache->find(key(1)), NotNull());
  }
  auto cache = disk_cache::open(folder.path(), plenty).value();

  const auto found = cache->find(key(1));
  ASSERT_THAT(found, NotNull());
  EXPECT_EQ(found->bytes, "one");
  EXPECT_EQ(found->note.kind, 1);
  EXPECT_EQ(found->note.cost, 7);
  EXPECT_THAT(found->note.tags,
              testing::ElementsAre(mark_of("t"), mark_of("u")));
  EXPECT_THAT(cache->find(key(2)), IsNull());
}

TEST(DiskCache, StoresEqualBytesOnce) {
  temporary_folder folder;
  auto cache = disk_cache::open(folder.path(), plenty).value();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(cache->put(key(i), *thing("the same", 1, std::to_string(i))));

  EXPECT_EQ(blobs(folder.path()).size(), 1u);
  EXPECT_EQ(cache->figures().entries, 5u);

  for (int i = 0; i < 4; ++i)
    cache->purge({purge_order::kind::source, mark_of(std::to_string(i))});
  EXPECT_THAT(cache->find(key(4)), NotNull());
  cache->purge({purge_order::kind::source, mark_of("4")});
  EXPECT_EQ(blobs(folder.path()).size(), 0u);
}

TEST(DiskCache, PurgesBySourceTagAndAll) {
  temporary_folder folder;
  auto cache = disk_cache::open(folder.path(), plenty).value();
  ASSERT_TRUE(cache->put(key(1), *thing("1", 1, "a", {"x"})));
  ASSERT_TRUE(cache->put(key(2), *thing("2", 1, "a", {"y", "z"})));
  ASSERT_TRUE(cache->put(key(3), *thing("3", 1, "b", {"z"})));
  ASSERT_TRUE(cache->put(key(4), *thing("4", 1, "c")));

  EXPECT_EQ(cache->purge({purge_order::kind::tag, mark_of("z")}), 2u);
  EXPECT_THAT(cache->find(key(1)), NotNull());
  EXPECT_EQ(cache->purge({purge_order::kind::source, mark_of("a")}), 1u);
  EXPECT_THAT(cache->find(key(1)), IsNull());
  EXPECT_EQ(cache->purge({}), 1u);
  EXPECT_EQ(cache->figures().entries, 0u);
  EXPECT_EQ(cache->figures().bytes, 0u);
}

TEST(DiskCache, NotesTagsThatComeLaterAndMoreThanARecordHolds) {
  const temporary_folder folder;
  const auto purged = [](disk_cache& cache, const char* tag) {
    return cache.purge({purge_order::kind::tag, mark_of(tag)});
  };
  const auto reopened = [&folder] {
    return disk_cache::open(folder.path(), plenty).value();
  };
  {
    auto cache = reopened();
    ASSERT_TRUE(cache->put(key(1), *thing("one")));
    ASSERT_TRUE(cache->put(key(1), *thing("one", 10, "s", {"late"})));
    auto many = *thing("two");
    std::vector<std::uint64_t> tags;
    for (const auto* tag : {"a", "b", "c", "d", "e"})
      tags.push_back(mark_of(tag));
    EXPECT_TRUE(many.note.add_tags(tags));
    EXPECT_FALSE(many.note.add_tags(tags));
    ASSERT_TRUE(cache->put(key(2), many));
    EXPECT_EQ(cache->figures().entries, 2u);
  }
  EXPECT_EQ(purged(*reopened(), "e"), 1u);
  EXPECT_EQ(purged(*reopened(), "late"), 1u);
  EXPECT_EQ(reopened()->figures().entries, 0u);
}

TEST(DiskCache, StaysWithinItsBudgetAlsoWhenThatShrinks) {
  temporary_folder folder;
  {
    auto cache = disk_cache::open(folder.path(), 1u << 20).value();
    for (int i = 0; i < 60; ++i)
      ASSERT_TRUE(
        cache->put(key(i), *thing(std::string(40'000, static_cast<char>(i)))));
    EXPECT_LE(cache->figures().bytes, 1u << 20);
    EXPECT_GT(cache->figures().entries, 20u);
  }
  auto cache = disk_cache::open(folder.path(), 500'000).value();

  EXPECT_LE(cache->figures().bytes, 500'000u);
  EXPECT_EQ(blobs(folder.path()).size(), cache->figures().entries);
}

/// A file that lost its end, one of zeros, one with a bit turned, one gone.
TEST(DiskCache, NeverServesADamagedFile) {
  temporary_folder folder;
  const auto harm = [](const fs::path& file, int how) {
    const auto size = fs::file_size(file);
    if (how == 0)
      fs::resize_file(file, size / 2);
    if (how == 1)
      fs::resize_file(file, 0);
    if (how == 2) {
      std::fstream at{file, std::ios::in | std::ios::out | std::ios::binary};
      at.seekp(static_cast<std::streamoff>(size - 3));
      at.put('!');
    }
    if (how == 3)
      fs::remove(file);
    if (how == 4)
      fs::resize_file(file, size + 1);
  };
  for (int how = 0; how < 5; ++how) {
    auto cache = disk_cache::open(folder.path(), plenty).value();
    ASSERT_TRUE(cache->put(key(how), *thing("damage " + std::to_string(how))));
    ASSERT_EQ(blobs(folder.path()).size(), 1u);
    harm(blobs(folder.path()).front(), how);

    EXPECT_THAT(cache->find(key(how)), IsNull()) << how;
    EXPECT_EQ(cache->figures().broken, 1u) << how;
    EXPECT_EQ(cache->figures().entries, 0u) << how;
    ASSERT_TRUE(cache->put(key(how), *thing("damage " + std::to_string(how))));
    EXPECT_THAT(cache->find(key(how)), NotNull()) << how;
    cache->purge({});
  }
}

TEST(DiskCache, ReadsAJournalWithATornEndAndABadRecord) {
  temporary_folder folder;
  {
    auto cache = disk_cache::open(folder.path(), plenty).value();
    for (int i = 0; i < 3; ++i)
      ASSERT_TRUE(cache->put(key(i), *thing(std::to_string(i))));
  }
  const auto journal = folder.path() / "journal";
  const auto size = fs::file_size(journal);
  {
    std::fstream at{journal, std::ios::in | std::ios::out | std::ios::binary};
    at.seekp(static_cast<std::streamoff>(size / 3 + 20));
    at.put('!');
  }
  fs::resize_file(journal, size + 40);
  auto cache = disk_cache::open(folder.path(), plenty).value();

  EXPECT_THAT(cache->find(key(0)), NotNull());
  EXPECT_THAT(cache->find(key(1)), IsNull());
  EXPECT_THAT(cache->find(key(2)), NotNull());
  EXPECT_EQ(cache->sweep(), 1u);
  EXPECT_EQ(blobs(folder.path()).size(), 2u);
  ASSERT_TRUE(cache->put(key(3), *thing("three")));
  cache = disk_cache::open(folder.path(), plenty).value();
  EXPECT_THAT(cache->find(key(3)), NotNull());
}

TEST(DiskCache, WritesItsJournalAnewBeforeItGrowsForEver) {
  temporary_folder folder;
  auto cache = disk_cache::open(folder.path(), plenty).value();
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(cache->put(key(i % 10), *thing(std::to_string(i % 20))));
  }
  EXPECT_LT(fs::file_size(folder.path() / "journal"), 2'000'000u);
  cache = disk_cache::open(folder.path(), plenty).value();

  EXPECT_EQ(cache->figures().entries, 10u);
  EXPECT_EQ(cache->find(key(9))->bytes, "19");
}

/// What a killed writer leaves is whole or is not there.
TEST(DiskCache, SurvivesAKillAtAnyMoment) {
  temporary_folder folder;
  std::mt19937 random{7};
  std::uint64_t seen = 0;
  for (int round = 0; round < 12; ++round) {
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto cache = disk_cache::open(folder.path(), plenty);
      for (int i = 0; cache; ++i)
        static_cast<void>((*cache)->put(
          key(i % 500),
          *thing(std::string(2000 + i % 7000, static_cast<char>(i + round)))));
      ::_exit(1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{20 + random() % 60});
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    auto cache = disk_cache::open(folder.path(), plenty).value();
    for (int i = 0; i < 500; ++i)
      if (const auto found = cache->find(key(i))) {
        ++seen;
        EXPECT_EQ(found->digest, key_of(found->bytes));
      }
    EXPECT_EQ(cache->figures().broken, 0u);
    cache->sweep();
    EXPECT_LE(blobs(folder.path()).size(), cache->figures().entries);
    EXPECT_TRUE(fs::is_empty(folder.path() / "new"));
  }
  EXPECT_GT(seen, 0u);
}

TEST(DiskCache, OpensAMillionEntriesInSeconds) {
  constexpr int count = is_sanitized ? 100'000 : 1'000'000;
  temporary_folder folder;
  {
    auto journal =
      cache_journal::open(folder.path() / "journal", [](const auto&) {
      }).value();
    const auto filled = journal.rewrite([](cache_journal& to) {
      for (int i = 0; i < count; ++i) {
        journal_record each;
        each.key = {std::uint64_t(i) * 0x9e3779b97f4a7c15, std::uint64_t(i)};
        each.digest = each.key;
        each.size = 10'000;
        each.note = {1, 30, 5, {}};
        if (const auto done = to.add(each); !done)
          return done;
      }
      return result<void>{};
    });
    ASSERT_TRUE(filled);
  }
  const auto began = std::chrono::steady_clock::now();

  auto cache = disk_cache::open(folder.path(), 1ull << 40).value();

  const std::chrono::duration<double> took =
    std::chrono::steady_clock::now() - began;
  RecordProperty("seconds", std::to_string(took.count()));
  EXPECT_EQ(cache->figures().entries, std::uint32_t{count});
  EXPECT_LT(took.count(), 20);
}

} // namespace
} // namespace troupe::media
