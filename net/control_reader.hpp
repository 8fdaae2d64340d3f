#pragma once

#include "actors/store/job_store.hpp"
#include "media/egress/address_guard.hpp"
#include "media/image/options.hpp"
#include "net/problem.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// Readers of the bodies that steer queues and many jobs at once.
namespace troupe::net {

/// What `PATCH /v1/queues/{name}` and `PUT /v1/limits/{key}` hold. Nothing: a
/// member was absent; 0 (or `null` in the request): no limit.
struct limits_request {
  std::optional<std::uint32_t> concurrency;
  std::optional<double> rate_per_s;
};

[[nodiscard]] std::variant<limits_request, problem>
read_limits(std::string_view body);

/// Reads the body of `POST /v1/jobs/actions`.
[[nodiscard]] std::variant<store::bulk_request, problem>
read_action(std::string_view body);

/// Reads the body of `PUT /v1/schedules/{name}`. Keeps the schemas of all job
/// types.
class schedule_reader {
public:
  /// @param images how options of images are read
  explicit schedule_reader(const media::address_guard& guard,
                           media::option_rules images = {});
  ~schedule_reader();
  schedule_reader(const schedule_reader&) = delete;
  schedule_reader& operator=(const schedule_reader&) = delete;

  [[nodiscard]] std::variant<store::schedule, problem>
  read(std::string_view body) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// True for a name that a schedule may have: 1 to 128 letters, digits and
/// `._-`.
[[nodiscard]] bool is_schedule_name(std::string_view name) noexcept;

} // namespace troupe::net
