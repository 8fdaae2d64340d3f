#include "media/cache/eviction_order.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

/// What costs nothing still goes by size and age.
constexpr double least_cost = 0.001;

} // namespace

void eviction_order::push(slot at) {
  const auto& it = items_[at];
  heap_.push_back({it.value, at, it.generation});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void eviction_order::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  heap_.pop_back();
}

void eviction_order::add(slot at, double cost, std::uint64_t size) {
  if (at >= items_.size())
    items_.resize(at + 1);
  auto& it = items_[at];
  it.worth =
    static_cast<float>(std::max(cost, least_cost) / static_cast<double>(size));
  it.uses = 1;
  it.value = age_ + double{it.worth};
  ++it.generation;
  it.in = true;
  ++alive_;
  push(at);
}

void eviction_order::use(slot at) {
  auto& it = items_[at];
  ++it.uses;
  it.value = age_ + it.uses * double{it.worth};
}

void eviction_order::remove(slot at) {
  auto& it = items_[at];
  it.in = false;
  --alive_;
  tidy();
}

/// Entries of what is gone do not gather.
void eviction_order::tidy() {
  if (heap_.size() < 2 * alive_ + 64)
    return;
  std::erase_if(heap_, [this](const entry& each) {
    const auto& it = items_[each.at];
    return !it.in || it.generation != each.generation;
  });
  std::make_heap(heap_.begin(), heap_.end(), later);
}

std::optional<eviction_order::slot> eviction_order::pick() {
  while (!heap_.empty()) {
    const auto top = heap_.front();
    const auto& it = items_[top.at];
    if (it.in && it.generation == top.generation && it.value <= top.value) {
      age_ = it.value;
      return top.at;
    }
    pop();
    if (it.in && it.generation == top.generation)
      push(top.at);
  }
  return std::nullopt;
}

} // namespace troupe::media
