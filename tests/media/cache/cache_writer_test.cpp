#include "media/cache/cache_writer.hpp"

#include "media/errc.hpp"

#include <gmock/gmock.h>

#include <future>

namespace troupe::media {
namespace {

using namespace std::chrono_literals;

cached_ptr bytes_of(std::string bytes) {
  auto out = std::make_shared<cached_bytes>();
  out->bytes = std::move(bytes);
  return out;
}

cache_key number(int of) {
  return key_of(std::to_string(of));
}

/// A disk that takes nothing until it is let go on, and then as it is told.
class stuck_disk {
public:
  cache_writer::write_call call() {
    return [this](const cache_key& key, const cached_bytes& what) {
      gate_.wait();
      written.push_back(key);
      digests.push_back(what.digest);
      return full ? result<void>{fail(errc::disk_full)} : result<void>{};
    };
  }
  void go_on() {
    opened_.set_value();
  }

  // Of the writer's thread, until that is gone.
  std::vector<cache_key> written;
  std::vector<cache_key> digests;
  bool full = false;

private:
  std::promise<void> opened_;
  std::shared_future<void> gate_{opened_.get_future()};
};

TEST(CacheWriter, HoldsUpNobodyAndTakesNoMoreThanItsLimit) {
  stuck_disk disk;
  std::vector<cache_key> taken;
  {
    cache_writer writer{disk.call(), 100'000};
    for (int i = 0; i < 50; ++i)
      if (writer.put(number(i), bytes_of(std::string(9'000, 'x'))))
        taken.push_back(number(i));

    EXPECT_EQ(taken.size(), 10u);
    EXPECT_EQ(writer.dropped(), 40u);
    disk.go_on();
  }

  EXPECT_EQ(disk.written, taken);
}

TEST(CacheWriter, TakesMoreWhenTheDiskHasCaughtUp) {
  stuck_disk disk;
  disk.full = true;
  cache_writer writer{disk.call(), 10'000};
  ASSERT_TRUE(writer.put(number(1), bytes_of(std::string(9'000, 'x'))));
  ASSERT_FALSE(writer.put(number(2), bytes_of(std::string(9'000, 'x'))));

  disk.go_on();
  std::promise<void> done;
  writer.after([&done] { done.set_value(); });
  ASSERT_EQ(done.get_future().wait_for(20s), std::future_status::ready);

  EXPECT_TRUE(writer.put(number(3), bytes_of(std::string(9'000, 'x'))));
  EXPECT_EQ(writer.dropped(), 1u);
}

TEST(CacheWriter, DoesWhatComesAfterAfterwards) {
  stuck_disk disk;
  std::size_t before = 0;
  {
    cache_writer writer{disk.call(), 1'000'000};
    writer.put(number(1), bytes_of("one"));
    writer.put(number(2), bytes_of("two"));
    writer.after([&] { before = disk.written.size(); });
    writer.put(number(3), bytes_of("three"));
    disk.go_on();
  }

  EXPECT_EQ(before, 2u);
  EXPECT_EQ(disk.written.size(), 3u);
}

TEST(CacheWriter, NamesWhatHasNoDigest) {
  stuck_disk disk;
  disk.go_on();
  {
    cache_writer writer{disk.call(), 1'000'000};
    writer.put(number(1), bytes_of("one"));
  }

  EXPECT_THAT(disk.digests, testing::ElementsAre(key_of("one")));
}

TEST(CacheWriter, EndsSoonWhateverWaits) {
  int written = 0;
  bool done = false;
  const auto began = std::chrono::steady_clock::now();
  {
    cache_writer writer{[&written](const cache_key&, const cached_bytes&) {
                          std::this_thread::sleep_for(100ms);
                          ++written;
                          return result<void>{};
                        },
                        1'000'000};
    for (int i = 0; i < 300; ++i)
      writer.put(number(i), bytes_of("x"));
    writer.after([&done] { done = true; });
  }

  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
  EXPECT_GT(written, 0);
  EXPECT_LT(written, 300);
  EXPECT_TRUE(done);
}

} // namespace
} // namespace troupe::media
