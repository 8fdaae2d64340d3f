#include "media/egress/account.hpp"

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t largest_block = 64u << 10;
constexpr std::size_t smallest_block = 512;
/// Blocks per second, about, of a limited rate.
constexpr std::uint64_t smoothness = 20;
/// What may be ahead of the rate: pauses are made up for, but no more.
constexpr auto burst = 100ms;

} // namespace

account_state::account_state(egress_policy policy, std::string token)
  : policy_(policy), token_(std::move(token)) {}

egress_report account_state::report() const {
  const std::lock_guard guarded{mutex_};
  return report_;
}

bool account_state::count(std::size_t bytes) {
  const std::lock_guard guarded{mutex_};
  report_.received += bytes;
  if (policy_.max_bytes == 0 || report_.received <= policy_.max_bytes)
    return open_;
  if (report_.refused == errc::none) {
    report_.refused = errc::too_large;
    report_.refused_detail =
      "more than " + std::to_string(policy_.max_bytes) + " bytes";
  }
  open_ = false;
  return false;
}

account_state::steady::time_point account_state::pace(std::size_t bytes) {
  if (policy_.rate == 0)
    return {};
  const std::chrono::duration<double> cost{static_cast<double>(bytes)
                                           / static_cast<double>(policy_.rate)};
  const auto now = steady::now();
  const std::lock_guard guarded{mutex_};
  full_at_ = std::max(full_at_, now)
             + std::chrono::duration_cast<steady::duration>(cost);
  return full_at_ - burst;
}

std::size_t account_state::block_size() const {
  if (policy_.rate == 0)
    return largest_block;
  return std::clamp<std::uint64_t>(policy_.rate / smoothness, smallest_block,
                                   largest_block);
}

bool account_state::is_open() const {
  const std::lock_guard guarded{mutex_};
  return open_;
}

void account_state::close() {
  const std::lock_guard guarded{mutex_};
  open_ = false;
}

bool account_state::asks_first_for(const std::string& host) {
  const std::lock_guard guarded{mutex_};
  if (first_host_.empty())
    first_host_ = host;
  return first_host_ == host;
}

void account_state::refuse(errc code, std::string detail) {
  const std::lock_guard guarded{mutex_};
  if (report_.refused != errc::none)
    return;
  report_.refused = code;
  report_.refused_detail = std::move(detail);
}

void account_state::saw_status(int status, double retry_after_s) {
  const std::lock_guard guarded{mutex_};
  report_.last_error_status = status;
  if (status == 429 || status == 503)
    report_.retry_after_s = retry_after_s;
}

void account_state::saw_failure(errc code, std::string detail) {
  const std::lock_guard guarded{mutex_};
  report_.unreached = code;
  report_.last_failure = std::move(detail);
}

void account_state::add(std::weak_ptr<egress_connection> connection) {
  std::erase_if(connections_, [](const auto& one) { return one.expired(); });
  connections_.push_back(std::move(connection));
}

void account_state::cut_all() {
  const auto all = std::exchange(connections_, {});
  for (const auto& one : all)
    if (const auto connection = one.lock())
      connection->cut();
}

} // namespace troupe::media
