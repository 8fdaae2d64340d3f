#pragma once

#include "actors/store/job_store.hpp"
#include "media/egress/address_guard.hpp"
#include "media/image/options.hpp"
#include "net/problem.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::net {

/// Most jobs of one batch.
inline constexpr std::size_t max_batch = 10000;
/// Most dependencies of them, all together.
inline constexpr std::size_t max_batch_parents = 20000;

/// A batch as a client asked for it. It and its jobs have ids; jobs name their
/// siblings by them, in `depends_on` and in `{{job:…}}` of their params.
struct batch_request {
  std::string id;
  std::vector<std::string> tags;
  std::string callback_url;
  std::vector<store::job_draft> jobs; ///< in the order of the request
  /// The most that a job asks for with `durability_strict`.
  std::optional<store::durability> durability;
  /// As in `store::batch_draft`.
  store::durability asked = store::durability::memory;
  store::durability required = store::durability::memory;
};

/// Reads the body of `POST /v1/jobs/batch`. Reading 10,000 jobs takes a while,
/// so it is made for threads that may; one call at a time.
class batch_reader {
public:
  /// @param images how options of images are read
  explicit batch_reader(const media::address_guard& guard,
                        media::option_rules images = {});
  ~batch_reader();
  batch_reader(const batch_reader&) = delete;
  batch_reader& operator=(const batch_reader&) = delete;

  /// @param mint makes ids for the jobs
  [[nodiscard]] std::variant<batch_request, problem>
  read(std::string_view body, const std::function<std::string()>& mint) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::net
