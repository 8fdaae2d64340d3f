#pragma once

#include "actors/stream_desk.hpp"
#include "net/http.hpp"
#include "net/problem.hpp"
#include "net/stream_reader.hpp"

namespace troupe::net {

/// How the edge tells that a stream, or a file of one, is not to be had: what
/// is beyond what may be at once, or not made in time, is 503 with
/// `Retry-After`.
[[nodiscard]] response stream_refusal(const failure& why);

/// A file of a rendition, or the master playlist.
[[nodiscard]] response stream_answer(const rendition_file& file,
                                     actors::stream_file_reply got);

/// The source itself: 200, 206, 304 or 416.
[[nodiscard]] response direct_answer(const request& req,
                                     const actors::stream_direct& what);

} // namespace troupe::net
