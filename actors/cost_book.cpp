#include "actors/cost_book.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

namespace {

/// What is older weighs less than a thirtieth.
constexpr std::size_t runs_kept = 32;
constexpr double decay = 0.9;
constexpr double quantile = 0.9;
/// The CPU share of what took less time than that tells nothing.
constexpr std::uint64_t least_wall_ms = 50;

struct weighed {
  double value;
  double weight;
};

/// The least value that so much of the weight is at or below.
double high_of(const std::deque<double>& runs, double declared) {
  std::vector<weighed> all{{declared, 1}};
  double weight = 1;
  for (const auto run : runs) {
    all.push_back({run, weight});
    weight *= decay;
  }
  double sum = 0;
  for (const auto& it : all)
    sum += it.weight;
  std::ranges::sort(all, {}, &weighed::value);
  double below = 0;
  for (const auto& it : all)
    if (below += it.weight; below >= quantile * sum)
      return it.value;
  return all.back().value;
}

void add(std::deque<double>& runs, double value) {
  if (value <= 0)
    return;
  runs.push_front(value);
  if (runs.size() > runs_kept)
    runs.pop_back();
}

std::uint64_t bytes_of(const std::deque<double>& runs, std::uint64_t declared) {
  return static_cast<std::uint64_t>(
    high_of(runs, static_cast<double>(declared)));
}

} // namespace

cost_book::page& cost_book::open(const std::string& type) {
  const auto [at, fresh] = pages_.try_emplace(type);
  if (fresh)
    at->second.declared = at->second.now = declared_(type);
  return at->second;
}

const media::job_cost& cost_book::of(const std::string& type) {
  return open(type).now;
}

void cost_book::note(const std::string& type,
                     const media::attempt_usage& used) {
  if (used == media::attempt_usage{})
    return;
  auto& it = open(type);
  if (used.wall_ms >= least_wall_ms) {
    const auto wall_ms = static_cast<double>(used.wall_ms);
    add(it.cpu, static_cast<double>(used.cpu_ms) / wall_ms);
    add(it.bandwidth, static_cast<double>(used.network) * 1000 / wall_ms);
  }
  add(it.memory, static_cast<double>(used.peak_memory));
  add(it.disk, static_cast<double>(used.disk));
  it.now = {high_of(it.cpu, it.declared.cpu),
            bytes_of(it.memory, it.declared.memory),
            bytes_of(it.disk, it.declared.disk),
            bytes_of(it.bandwidth, it.declared.bandwidth)};
}

std::vector<type_cost> cost_book::all() const {
  std::vector<type_cost> out;
  out.reserve(pages_.size());
  for (const auto& [type, it] : pages_)
    out.push_back({type, it.now});
  return out;
}

} // namespace troupe::actors
