#include "net/response_text.hpp"

#include <ctime>

#include <array>
#include <charconv>

namespace troupe::net {

namespace {

constexpr std::string_view line_end = "\r\n";

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end =
    std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end.ptr);
}

void append_field(std::string& out, std::string_view name,
                  std::string_view value) {
  out.append(name).append(": ").append(value).append(line_end);
}

} // namespace

std::uint64_t body_size(const response& what) noexcept {
  if (!what.file.fd)
    return what.bytes().size();
  if (what.parts.empty())
    return what.file.length;
  std::uint64_t size = what.body.size();
  for (const auto& part : what.parts)
    size += part.head.size() + part.length;
  return size;
}

void append_head(std::string& out, const response& what,
                 std::string_view request_id, connection_use use,
                 std::string_view extra) {
  out += "HTTP/1.1 ";
  append_number(out, what.status);
  out += ' ';
  out += reason_of(what.status);
  out += "\r\n";
  append_field(out, "Date", http_date());
  if (!is_bodiless(what.status)) {
    append_field(out, "Content-Type", what.content_type);
    // Nobody knows the length of what has no end (of a HEAD: RFC 9110, 8.6).
    if (what.content_type != "text/event-stream") {
      out += "Content-Length: ";
      append_number(out, body_size(what));
      out += "\r\n";
    }
  }
  append_field(out, "X-Request-Id", request_id);
  for (const auto& [name, value] : what.headers) {
    append_field(out, name, value);
    // One field for all that it varies by.
    if (name == "Vary" && extra.starts_with(vary_origin)) {
      out.insert(out.size() - line_end.size(), ", Origin");
      extra.remove_prefix(vary_origin.size());
    }
  }
  out += extra;
  if (use == connection_use::closed)
    append_field(out, "Connection", "close");
  else if (use == connection_use::kept_and_told)
    append_field(out, "Connection", "keep-alive");
  out += "\r\n";
}

std::string_view http_date() {
  thread_local std::time_t shown = 0;
  thread_local std::array<char, 32> text;
  thread_local std::size_t length = 0;
  const auto now = std::time(nullptr);
  if (now != shown) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    // No locale is ever set, so that names are English as they must be.
    length = std::strftime(text.data(), text.size(),
                           "%a, %d %b %Y %H:%M:%S GMT", &parts);
    shown = now;
  }
  return {text.data(), length};
}

} // namespace troupe::net
