#include "net/route_parts.hpp"

namespace troupe::net {

std::optional<problem> key_fault(const request& req) {
  const auto key = req.headers.idempotency_key;
  if (key.data() == nullptr || is_idempotency_key(key))
    return std::nullopt;
  return problem{problem_code::invalid_request,
                 "Idempotency-Key must be 1 to 255 visible characters"};
}

boost::asio::awaitable<result<void>> change(edge& at, store::operation op) {
  auto call = [&op](actors::gateway& to, auto reply) {
    to.change(std::move(op), std::move(reply));
  };
  const auto done = co_await ask<store::applied>(at, call);
  if (!done)
    co_return done.error();
  if (done->error != store::errc::none)
    co_return fail(done->error);
  co_return result<void>{};
}

} // namespace troupe::net
