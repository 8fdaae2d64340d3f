#include "actors/store/put_off.hpp"

#include "actors/store/batches.hpp"
#include "actors/store/callbacks.hpp"
#include "actors/store/schedules.hpp"
#include "actors/store/stream_record.hpp"
#include "config/log.hpp"

namespace troupe::store {

namespace {

constexpr std::int64_t an_hour_ms = 3'600'000;

} // namespace

void put_off(record_kind kind, const std::string& key, transaction& in) {
  auto bytes = in.read(kind, key);
  if (!bytes)
    return;
  log::error("a record of the store cannot be read",
             {{"kind", std::string(1, static_cast<char>(kind))}, {"key", key}});
  in.write(kind, key, std::move(*bytes), in.now() + an_hour_ms);
}

bool can_be_read(record_kind kind, std::string_view body) {
  switch (kind) {
  case record_kind::batch:
    return unpack_batch(body).has_value();
  case record_kind::schedule:
    return unpack_schedule(body).has_value();
  case record_kind::callback:
    return unpack_callback(body).has_value();
  case record_kind::stream:
    return unpack_stream(body).has_value();
  case record_kind::unhold:
    return body.size() < 10
           && body.find_first_not_of("0123456789") == body.npos;
  default:
    return true;
  }
}

} // namespace troupe::store
