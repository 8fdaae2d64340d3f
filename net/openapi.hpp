#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::net {

/// `openapi.json` of this folder, as built in.
[[nodiscard]] std::string_view openapi_text() noexcept;

/// `asyncapi.json` of this folder: WebSocket and event streams.
[[nodiscard]] std::string_view asyncapi_text() noexcept;

enum class docs_part : std::uint8_t { page, style, script };

/// A part of the page for people that shows both documents.
[[nodiscard]] std::string_view docs_text(docs_part part) noexcept;

/// The document that is served: with the schemas of all job types, as
/// `{type}_params` and `{type}_result`, and with the responses that every
/// operation has.
[[nodiscard]] const std::string& openapi_document();

} // namespace troupe::net
