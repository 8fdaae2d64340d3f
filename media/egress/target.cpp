#include "media/egress/target.hpp"

#include "config/text.hpp"
#include <algorithm>
#include <charconv>
#include <ctime>

namespace troupe::media {

namespace {

using config::lower;

bool is_host_character(char c) {
  return c > ' ' && c != 0x7f
         && std::string_view{"/?#@\\<>\"{}|^`[]%"}.find(c)
              == std::string_view::npos;
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, port);
  if (read.ec != std::errc{} || read.ptr != end || port == 0)
    return std::nullopt;
  return port;
}

/// @param usual the port where none is given; 0: one must be.
std::optional<proxy_target> parse_authority(std::string_view text,
                                            std::uint16_t usual) {
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return std::nullopt;
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (host.empty() || host.size() > 255
      || !std::all_of(host.begin(), host.end(), is_host_character))
    return std::nullopt;
  if (rest.empty() || rest == ":") {
    if (usual == 0)
      return std::nullopt;
    return proxy_target{lower(host), usual, {}};
  }
  const auto port = parse_port(rest.substr(1));
  if (rest.front() != ':' || !port)
    return std::nullopt;
  return proxy_target{lower(host), *port, {}};
}

/// -1 for what is no Base64 character.
int base64_value(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::string decode_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0)
      break;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xff);
    }
  }
  return bytes;
}

} // namespace

std::string proxy_target::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  const auto name = is_v6 ? "[" + host + "]" : host;
  return port == 80 ? name : name + ":" + std::to_string(port);
}

std::optional<proxy_target> parse_connect_target(std::string_view text) {
  return parse_authority(text, 0);
}

std::optional<proxy_target> parse_absolute_target(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (lower(text.substr(0, scheme.size())) != scheme)
    return std::nullopt;
  text.remove_prefix(scheme.size());
  text = text.substr(0, text.find('#'));
  const auto end = std::min(text.find_first_of("/?"), text.size());
  auto target = parse_authority(text.substr(0, end), 80);
  if (!target)
    return std::nullopt;
  target->path = text.substr(end);
  if (!target->path.starts_with('/'))
    target->path.insert(target->path.begin(), '/');
  return target;
}

double parse_retry_after(std::string_view text, std::int64_t now) {
  constexpr std::int64_t day_s = 24 * 3600;
  std::int64_t seconds = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seconds);
  if (read.ec == std::errc{} && read.ptr == end)
    return static_cast<double>(std::clamp<std::int64_t>(seconds, 0, day_s));
  const std::string date{text};
  for (const auto* form : {"%a, %d %b %Y %H:%M:%S GMT",
                           "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %T %Y"}) {
    std::tm parts{};
    const auto* stop = ::strptime(date.c_str(), form, &parts);
    if (stop != nullptr && *stop == '\0')
      return static_cast<double>(
        std::clamp<std::int64_t>(::timegm(&parts) - now, 0, day_s));
  }
  return 0;
}

std::string basic_user(std::string_view header) {
  constexpr std::string_view scheme = "basic ";
  if (lower(header.substr(0, scheme.size())) != scheme)
    return {};
  header.remove_prefix(scheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  const auto credentials = decode_base64(header);
  return credentials.substr(0, credentials.find(':'));
}

} // namespace troupe::media
