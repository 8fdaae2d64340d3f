#pragma once

#include "actors/store/transaction.hpp"

#include <string>
#include <string_view>

/// A job's own log, lines `{RFC 3339 time} {level} {message}\n`: what was
/// stored, then what its notes tell, then what the job itself tells. A line
/// that was shown once stays where it is, until 64 KiB of newer ones push it
/// out.
namespace troupe::store {

/// Bytes that a job's log has at most; its oldest lines go.
inline constexpr std::size_t log_limit = 64 * 1024;

/// One line. Control characters become blanks, what is no UTF-8 U+FFFD.
[[nodiscard]] std::string log_line(timestamp_ms time, std::string_view level,
                                   std::string_view message);

/// Appends lines to the log of a job, behind its notes, which are told then;
/// none that were appended before.
/// @return whether the job itself has changed and is to be saved
[[nodiscard]] bool append_log(job& it, std::string_view text, transaction& in);

/// The log as it is shown.
/// @param stored what `append_log` has appended
[[nodiscard]] std::string shown_log(job it, std::string stored);

} // namespace troupe::store
