#pragma once

#include <string>
#include <string_view>

/// The forms that texts in the configuration take. Each says what is wrong
/// with a text, or nothing.
namespace troupe::config {

[[nodiscard]] std::string check_level(std::string_view text);
[[nodiscard]] std::string check_format(std::string_view text);
/// `address:port` with a literal address, IPv6 in brackets.
[[nodiscard]] std::string check_listen(std::string_view text);
/// A host name or literal, with or without port.
[[nodiscard]] std::string check_host(std::string_view text);
/// `scheme://host[:port]` (RFC 6454, 6.2).
[[nodiscard]] std::string check_origin(std::string_view text);
/// `address/prefix` (RFC 4632, RFC 4291 2.3).
[[nodiscard]] std::string check_block(std::string_view text);
/// Empty, `memory:`, `sqlite:PATH` or `redis://[[user]:password@]host…`.
[[nodiscard]] std::string check_store(std::string_view text);
/// Empty, or as `parse_threshold` takes it.
[[nodiscard]] std::string check_threshold(std::string_view text);
[[nodiscard]] std::string check_not_empty(std::string_view text);
/// Pairs of hexadecimal digits, at least one.
[[nodiscard]] std::string check_hex(std::string_view text);
/// The same, at least 16 pairs.
[[nodiscard]] std::string check_stream_key(std::string_view text);
/// `/name`, perhaps several of them.
[[nodiscard]] std::string check_path_prefix(std::string_view text);
/// `name=options`.
[[nodiscard]] std::string check_preset(std::string_view text);
/// An image format that is read where it is asked for alone.
[[nodiscard]] std::string check_readable(std::string_view text);

/// As `parse_hours` takes it.
[[nodiscard]] std::string check_hours(std::string_view text);

/// True for 127.0.0.0/8 and ::1.
/// @pre `check_listen(listen)` found nothing wrong.
[[nodiscard]] bool is_loopback(std::string_view listen);

} // namespace troupe::config
