#include "actors/store/job.hpp"

#include <algorithm>
#include <array>

namespace troupe::store {

namespace {

constexpr std::array<std::string_view, job_state_count> state_names{
  "scheduled",  "blocked",   "queued", "running",  "paused",
  "cancelling", "succeeded", "failed", "cancelled"};

constexpr std::array<std::string_view, 5> durability_names{
  "memory", "interval", "disk", "replica", "local"};

constexpr std::array<std::string_view, 3> policy_names{"fail", "cancel", "run"};

template <class Names, class Enum>
bool find_name(const Names& names, std::string_view text, Enum& out) noexcept {
  const auto at = std::ranges::find(names, text);
  if (at == names.end())
    return false;
  out = static_cast<Enum>(at - names.begin());
  return true;
}

} // namespace

std::string_view to_string(job_state state) noexcept {
  return state_names[static_cast<std::size_t>(state)];
}

bool from_string(std::string_view text, job_state& out) noexcept {
  return find_name(state_names, text, out);
}

std::string_view to_string(parent_policy policy) noexcept {
  return policy_names[static_cast<std::size_t>(policy)];
}

bool from_string(std::string_view text, parent_policy& out) noexcept {
  return find_name(policy_names, text, out);
}

std::string_view to_string(durability level) noexcept {
  return durability_names[static_cast<std::size_t>(level)];
}

bool from_string(std::string_view text, durability& out) noexcept {
  return find_name(durability_names, text, out);
}

} // namespace troupe::store
