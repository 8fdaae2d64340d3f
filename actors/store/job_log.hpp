#pragma once

#include "actors/store/transaction.hpp"

#include <string_view>

namespace troupe::store {

/// Bytes that a job's log has at most; its oldest lines go.
inline constexpr std::size_t log_limit = 64 * 1024;

/// Appends lines to the log of a job.
void append_log(const std::string& id, std::string_view text, transaction& in);

} // namespace troupe::store
