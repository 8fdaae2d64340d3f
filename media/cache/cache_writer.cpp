#include "media/cache/cache_writer.hpp"

#include "config/log.hpp"

#include <chrono>
#include <utility>

namespace troupe::media {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds end_limit{2};
/// Of a place in the queue, beside its bytes.
constexpr std::uint64_t entry_overhead = 256;

std::uint64_t size_of(const cached_bytes& what) {
  return what.bytes.size() + entry_overhead;
}

} // namespace

cache_writer::cache_writer(write_call write, std::uint64_t most)
  : write_(std::move(write)), most_(most), thread_([this] { run(); }) {}

cache_writer::~cache_writer() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
    end_by_ = clock::now() + end_limit;
  }
  changed_.notify_one();
  thread_.join();
}

bool cache_writer::put(const cache_key& key, cached_ptr what) {
  const auto size = size_of(*what);
  {
    const std::lock_guard lock{mutex_};
    if (bytes_ + size > most_) {
      ++dropped_;
      return false;
    }
    bytes_ += size;
    waiting_.push_back({key, std::move(what), {}});
  }
  changed_.notify_one();
  return true;
}

void cache_writer::after(std::function<void()> work) {
  {
    const std::lock_guard lock{mutex_};
    waiting_.push_back({{}, nullptr, std::move(work)});
  }
  changed_.notify_one();
}

void cache_writer::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty())
      return;
    const auto one = std::move(waiting_.front());
    waiting_.pop_front();
    const bool late = ending_ && clock::now() > end_by_;
    lock.unlock();
    if (!one.what)
      one.work();
    else if (late)
      ++dropped_;
    else
      write(one);
    lock.lock();
    if (one.what)
      bytes_ -= size_of(*one.what);
  }
}

void cache_writer::write(const item& one) {
  auto whole = one.what;
  if (whole->digest == cache_key{}) {
    auto known = std::make_shared<cached_bytes>(*whole);
    known->digest = key_of(known->bytes);
    whole = std::move(known);
  }
  const auto done = write_(one.key, *whole);
  // Once, not for each: a full disk takes none of many.
  if (!done && !failing_)
    log::warn("what was made is not kept on disk",
              {{"error", done.error().message()}});
  failing_ = !done;
}

} // namespace troupe::media
