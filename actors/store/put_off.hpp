#pragma once

#include "actors/store/transaction.hpp"

namespace troupe::store {

/// A record that is due but cannot be read is not due for an hour, so that it
/// holds up nothing else; it is kept as it is, and told of in the log.
void put_off(record_kind kind, const std::string& key, transaction& in);

/// Whether a record makes sense; logs and staged jobs are not looked into.
[[nodiscard]] bool can_be_read(record_kind kind, std::string_view body);

/// Whether those who look for what is due may find records of that kind.
[[nodiscard]] constexpr bool may_be_due(record_kind kind) noexcept {
  return kind != record_kind::log && kind != record_kind::staged;
}

} // namespace troupe::store
