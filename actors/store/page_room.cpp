#include "actors/store/page_room.hpp"

#include "actors/store/transitions.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

/// Read before anything is known of their size.
constexpr std::size_t first_look = 16;
/// What each job counts for, beside what clients can make large.
constexpr std::size_t least_weight = 512;

std::size_t weight_of(const job& it) {
  std::size_t bytes =
    least_weight + it.params.size() + it.result.size() + it.checkpoint.size();
  for (const auto& error : it.errors)
    bytes += error.message.size();
  return bytes;
}

} // namespace

page_room::page_room(std::size_t size, bool scans) noexcept
  : size_{size}, scans_{scans} {}

bool page_room::any() const noexcept {
  if (shown_ >= size_ || shown_bytes_ >= max_page_bytes)
    return false;
  return !scans_ || (seen_ < max_scan && seen_bytes_ < max_scan_bytes);
}

std::size_t page_room::next() const noexcept {
  if (!any())
    return 1;
  const auto rows = scans_ ? max_scan - seen_ : size_ - shown_;
  if (seen_ == 0)
    return std::min(rows, first_look);
  const auto bytes =
    scans_ ? max_scan_bytes - seen_bytes_ : max_page_bytes - shown_bytes_;
  const auto each = std::max<std::size_t>(seen_bytes_ / seen_, 1);
  return std::clamp<std::size_t>(bytes / each, 1, rows);
}

void page_room::look_at(const job& it, bool shown) noexcept {
  const auto weight = weight_of(it);
  ++seen_;
  seen_bytes_ += weight;
  if (!shown)
    return;
  ++shown_;
  shown_bytes_ += weight;
}

} // namespace troupe::store
