#include "actors/store/stream_record.hpp"
#include "actors/store/transactional_store.hpp"

/// What transactional stores say of streams.
namespace troupe::store {

namespace {

constexpr std::size_t streams_at_once = 1000;

} // namespace

result<void> transactional_store::put_stream(const stream_record& it) {
  return transact(access::write, [&](transaction& in) {
    store::put_stream(it, in);
    return errc::none;
  });
}

result<void> transactional_store::drop_stream(const std::string& id) {
  return transact(access::write,
                  [&](transaction& in) { return store::drop_stream(id, in); });
}

result<stream_record> transactional_store::get_stream(const std::string& id) {
  std::optional<stream_record> found;
  const auto done = transact(access::read, [&](transaction& in) {
    found = read_stream(id, in);
    return errc::none;
  });
  if (!done)
    return done.error();
  if (!found)
    return fail(errc::not_found, id);
  return std::move(*found);
}

result<std::vector<stream_record>>
transactional_store::streams(const std::string& after) {
  std::vector<stream_record> all;
  const auto done = transact(access::read, [&](transaction& in) {
    all = read_streams(after, streams_at_once, in);
    return errc::none;
  });
  if (!done)
    return done.error();
  return all;
}

} // namespace troupe::store
