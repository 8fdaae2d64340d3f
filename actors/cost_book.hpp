#pragma once

#include "actors/node_view.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors {

/// What a job of each type is taken to need: for each resource the 0.9 quantile
/// over what the type declares and what its last runs used. A run counts a
/// tenth less with each later one, what was declared as much as one run does,
/// for ever: so one run that used more than was declared raises the figure at
/// once, and about two dozen that used less lower it. What was not measured
/// (0) is not counted.
class cost_book {
public:
  using declared_cost = std::function<media::job_cost(std::string_view type)>;

  explicit cost_book(declared_cost declared) : declared_(std::move(declared)) {}

  /// What a job of the type is taken to need.
  [[nodiscard]] const media::job_cost& of(const std::string& type);

  void note(const std::string& type, const media::attempt_usage& used);

  [[nodiscard]] std::vector<type_cost> all() const;

private:
  struct page {
    media::job_cost declared;
    media::job_cost now;
    /// The newest first.
    std::deque<double> cpu, memory, disk, bandwidth;
  };

  page& open(const std::string& type);

  declared_cost declared_;
  std::map<std::string, page, std::less<>> pages_;
};

} // namespace troupe::actors
