#pragma once

#include "config/settings.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

/// One line per entry, to stderr: text, or a JSON object. What happened is a
/// constant sentence; what it happened to stands in fields, so that lines can
/// be searched by job or request.
namespace troupe::log {

/// Names in use: `job`, `request`, `queue`, `node`, `error`, `path`, …
struct field {
  std::string_view key;
  std::string value;
};
using fields = std::initializer_list<field>;

/// Sets level and format; until then, text from `info` on.
void start(const config::log_settings& settings);

/// True if such a line would be written; spares making its fields.
[[nodiscard]] bool debugs() noexcept;
[[nodiscard]] bool informs() noexcept;

void debug(std::string_view what, fields with = {});
void info(std::string_view what, fields with = {});
void warn(std::string_view what, fields with = {});
void error(std::string_view what, fields with = {});

} // namespace troupe::log
