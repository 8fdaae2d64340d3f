#include "media/imaging/variant_book.hpp"

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace {

double area_of(const variant_book::entry& of) {
  const pixel_size stored{static_cast<int>(of.source.width),
                          static_cast<int>(of.source.height)};
  const auto size =
    geometry_of(stored, of.source.orientation, of.how.options).result;
  return static_cast<double>(size.width) * size.height;
}

} // namespace

void variant_book::add(const std::string& source, entry fresh) {
  const std::lock_guard lock{mutex_};
  const auto [at, first] = known_.try_emplace(source);
  auto& here = at->second;
  std::erase_if(here, [&](const entry& old) { return old.key == fresh.key; });
  if (here.size() >= most_each)
    here.erase(here.begin());
  here.push_back(std::move(fresh));
  if (!first)
    return;
  order_.push_back(source);
  if (order_.size() <= most_sources)
    return;
  known_.erase(order_.front());
  order_.pop_front();
}

std::optional<variant_book::entry>
variant_book::feed_of(const std::string& source, const image_options& wanted,
                      bool lossy) const {
  const std::lock_guard lock{mutex_};
  const auto found = known_.find(source);
  if (found == known_.end())
    return std::nullopt;
  const entry* best = nullptr;
  for (const auto& each : found->second)
    if (can_feed(each.source, each.how, wanted, lossy)
        && (!best || area_of(each) < area_of(*best)))
      best = &each;
  return best ? std::optional{*best} : std::nullopt;
}

void variant_book::clear() {
  const std::lock_guard lock{mutex_};
  known_.clear();
  order_.clear();
}

} // namespace troupe::media
