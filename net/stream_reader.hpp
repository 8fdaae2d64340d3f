#pragma once

#include "actors/stream_desk.hpp"
#include "media/egress/address_guard.hpp"
#include "net/http.hpp"
#include "net/problem.hpp"

#include <optional>
#include <string_view>
#include <variant>

/// Reads what clients say of streams; no sockets.
namespace troupe::net {

/// The body of `POST /v1/streams`.
[[nodiscard]] std::variant<media::stream_wish, problem>
read_stream_wish(std::string_view body, const media::address_guard& guard);

/// The body of `PATCH /v1/streams/{id}`.
[[nodiscard]] std::variant<actors::stream_change, problem>
read_stream_change(std::string_view body);

/// The id and the signature of `{id}.{signature}`.
struct stream_name {
  std::string_view id, signature;
};
[[nodiscard]] std::optional<stream_name>
read_stream_name(std::string_view part);

/// A file of a rendition: `index.m3u8`, `init.mp4`, `{n}.m4s`, `{n}.vtt`.
struct rendition_file {
  actors::stream_file what = actors::stream_file::playlist;
  std::uint32_t number = 0; ///< of a segment
};
[[nodiscard]] std::optional<rendition_file>
read_rendition_file(std::string_view name);

} // namespace troupe::net
