#include "actors/client_queue.hpp"

#include <utility>

namespace troupe::actors {

std::string client_queue::key_of(const frame& progress) {
  return progress.topic + '\n' + progress.subject;
}

std::size_t& client_queue::count_of(const frame& of) noexcept {
  return of.kind == frame_kind::subscribed ? snapshot_bytes_ : bytes_;
}

void client_queue::push(frame_ptr frame) {
  count_of(*frame) += frame->text.size();
  if (frame->progress) {
    const auto place = popped_ + frames_.size();
    const auto [known, fresh] = newest_.try_emplace(key_of(*frame), place);
    if (!fresh) {
      const auto older = std::exchange(known->second, place) - popped_;
      bytes_ -= frames_[older]->text.size();
      frames_[older] = nullptr;
    }
  }
  frames_.push_back(std::move(frame));
}

frame_ptr client_queue::pop() {
  while (!frames_.empty()) {
    auto oldest = std::move(frames_.front());
    frames_.pop_front();
    ++popped_;
    if (!oldest)
      continue;
    count_of(*oldest) -= oldest->text.size();
    if (oldest->progress)
      newest_.erase(key_of(*oldest));
    return oldest;
  }
  return nullptr;
}

} // namespace troupe::actors
