#include "net/route_parts.hpp"

namespace troupe::net {

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
