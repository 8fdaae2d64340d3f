#pragma once

/// Places where a test may end or stop this process, and promises that it may
/// take out, to see whether the suite in tests/chaos notices. A build without
/// TROUPE_FAULT_POINTS has nothing of it. They may stand in `.cpp` files only:
/// the test's program is those files, compiled anew, and the libraries.
#ifdef TROUPE_FAULT_POINTS

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace troupe::fault {

inline constexpr std::array<std::string_view, 28> names{
  "submit_before",     "submit_stored",   "claim_before",
  "claim_stored",      "claim_told",      "attempt_begun",
  "progress_passed",   "checkpoint_seen", "checkpoint_before",
  "checkpoint_stored", "staged",          "commit_before",
  "commit_stored",     "publish_begun",   "linked",
  "published",         "done_before",     "done_stored",
  "settled",           "failed_before",   "failed_stored",
  "cancel_stored",     "renewed",         "swept",
  "rolled_forward",    "adopted",         "store_writing",
  "store_written"};

/// One point in the file that a test shares with the process.
struct slot {
  std::array<char, 40> name;
  std::atomic<std::uint64_t> hits;
  std::atomic<std::uint32_t> signal; ///< to be raised, or `hold`; 0: none
  std::atomic<std::uint32_t> after;  ///< hits until it is; 0: never
};
static_assert(sizeof(slot) == 56);

/// No signal: whoever comes there waits until the point is disarmed.
inline constexpr std::uint32_t hold = 255;

/// The file that FAULT_POINTS_FILE names, or null: then points do nothing.
inline slot* open_slots() {
  const char* path = std::getenv("FAULT_POINTS_FILE");
  const int file = path ? ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  constexpr auto size = names.size() * sizeof(slot);
  if (file < 0 || ::ftruncate(file, size) != 0)
    return nullptr;
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (at == MAP_FAILED)
    return nullptr;
  auto* slots = static_cast<slot*>(at);
  for (std::size_t i = 0; i < names.size(); ++i)
    std::memcpy(slots[i].name.data(), names[i].data(), names[i].size());
  return slots;
}

consteval std::size_t index_of(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name)
      return i;
  throw "no such fault point";
}

inline void reach(std::size_t index) {
  static slot* const slots = open_slots();
  if (!slots)
    return;
  auto& here = slots[index];
  here.hits.fetch_add(1);
  if (here.signal.load() == 0 || here.after.load() == 0)
    return;
  if (here.after.fetch_sub(1) != 1)
    return;
  if (here.signal.load() != hold)
    ::kill(::getpid(), static_cast<int>(here.signal.exchange(0)));
  while (here.signal.load() == hold)
    ::usleep(1000);
}

/// True if FAULT_WITHOUT names this promise.
inline bool without(std::string_view promise) {
  static const char* const named = std::getenv("FAULT_WITHOUT");
  return named && promise == named;
}

} // namespace troupe::fault

#define TROUPE_FAULT_POINT(name)                                               \
  ::troupe::fault::reach(::troupe::fault::index_of(#name))
#define TROUPE_WITHOUT(promise) ::troupe::fault::without(#promise)

#else

#define TROUPE_FAULT_POINT(name) static_cast<void>(0)
#define TROUPE_WITHOUT(promise) false

#endif
