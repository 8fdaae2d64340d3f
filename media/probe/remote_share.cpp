#include "media/probe/remote_share.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds first_turn = 2s;
constexpr std::chrono::milliseconds last_turn = 60s;
constexpr std::chrono::milliseconds between_turns = 100ms;

} // namespace

remote_share::remote_share(std::size_t places, std::size_t waited_for)
  : all_(std::make_shared<int>()), waited_for_(std::make_shared<int>()),
    most_(places), most_waited_for_(waited_for) {}

/// The count of its owners, less our own, is that of the places taken.
remote_share::place remote_share::take(bool waited_for) {
  const auto& from = waited_for ? waited_for_ : all_;
  const auto most = waited_for ? most_waited_for_ : most_;
  const auto taken = static_cast<std::size_t>(from.use_count() - 1);
  return taken < most ? from : nullptr;
}

double remote_share::next_turn(clock::time_point now) {
  turn_ = std::clamp(turn_ + between_turns, now + first_turn, now + last_turn);
  return std::chrono::duration<double>{turn_ - now}.count();
}

} // namespace troupe::media
