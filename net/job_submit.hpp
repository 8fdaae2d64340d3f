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

namespace troupe::net {

/// A job as a client asked for it, complete with defaults.
struct submit_request {
  store::job_draft draft;
  std::optional<store::durability> durability; ///< the least asked for
  bool durability_strict = false;
  /// Only in a WebSocket's `submit`; over HTTP it is a header field.
  std::string idempotency_key;
};

/// Longest idempotency key, in bytes.
inline constexpr std::size_t max_idempotency_key = 255;

/// Reads the body of `POST /v1/jobs`, and what a WebSocket's `submit` holds in
/// `params`. Keeps the schemas of all job types and the parser's memory, so one
/// is made per thread.
class submit_reader {
public:
  /// @param images how options of images are read
  explicit submit_reader(const media::address_guard& guard,
                         media::option_rules images = {});
  ~submit_reader();
  submit_reader(const submit_reader&) = delete;
  submit_reader& operator=(const submit_reader&) = delete;

  /// @param takes_key `idempotency_key` is a member too
  /// @returns the first problem that ends the reading (`invalid_json`), or
  /// one with every field that is wrong.
  [[nodiscard]] std::variant<submit_request, problem>
  read(std::string_view body, bool takes_key = false);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// False if `level` is less than what was asked for.
[[nodiscard]] bool suffices(store::durability level, store::durability asked);

/// Why a submit that insists on a durability is refused; `level` tells what the
/// store reaches at present, empty: nobody knows.
[[nodiscard]] std::optional<problem>
durability_fault(const submit_request& asked,
                 const std::function<store::durability()>& level);

/// True for a key that may be used: 1 to 255 visible ASCII characters.
[[nodiscard]] bool is_idempotency_key(std::string_view key) noexcept;

/// True for a `traceparent` that may be passed on (W3C Trace Context, 3.2).
[[nodiscard]] bool is_traceparent(std::string_view text) noexcept;

/// What tells a repeated request from a new one.
/// @param path of the route, such as `/v1/jobs`
[[nodiscard]] store::idempotency idempotency_of(std::string_view principal,
                                                std::string_view path,
                                                std::string_view key,
                                                std::string_view body);

} // namespace troupe::net
