#include "config/forms.hpp"

#include "config/hours.hpp"
#include "config/threshold.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>

namespace troupe::config {

namespace {

std::string one_of(std::string_view text,
                   std::initializer_list<std::string_view> words) {
  if (std::find(words.begin(), words.end(), text) != words.end())
    return {};
  std::string all;
  for (auto word : words)
    all.append(all.empty() ? "" : ", ").append(word);
  return "must be one of " + all;
}

/// A whole decimal number up to `max`.
std::optional<unsigned> number(std::string_view text, unsigned max) {
  unsigned value = 0;
  auto [end, wrong] =
    std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size() || value > max)
    return std::nullopt;
  return value;
}

/// The number of bits of a literal address; 0 if it is none.
unsigned address_bits(std::string_view text) {
  const std::string address{text};
  unsigned char bytes[16];
  if (inet_pton(AF_INET, address.c_str(), bytes) == 1)
    return 32;
  if (inet_pton(AF_INET6, address.c_str(), bytes) == 1)
    return 128;
  return 0;
}

struct endpoint {
  std::string_view host; ///< without brackets
  std::string_view port; ///< empty: none was written
  bool bracketed = false;
};

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
std::optional<endpoint> split(std::string_view text) {
  endpoint out;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos)
      return std::nullopt;
    out.bracketed = true;
    out.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (text.empty())
      return out;
    if (text.front() != ':' || text.size() == 1)
      return std::nullopt;
    out.port = text.substr(1);
    return out;
  }
  const auto colon = text.find(':');
  out.host = text.substr(0, colon);
  if (colon != text.npos)
    out.port = text.substr(colon + 1);
  if (out.host.empty() || (colon != text.npos && out.port.empty()))
    return std::nullopt;
  return out;
}

bool is_name(std::string_view host) {
  return !host.empty() && host.size() <= 253
         && std::all_of(host.begin(), host.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9') || c == '-' || c == '.'
                     || c == '_';
            });
}

bool is_host(std::string_view text) {
  const auto at = split(text);
  if (!at)
    return false;
  if (at->bracketed ? address_bits(at->host) != 128 : !is_name(at->host))
    return false;
  return at->port.empty() || number(at->port, 65535);
}

bool is_redis(std::string_view text) {
  if (const auto at = text.rfind('@'); at != text.npos)
    text.remove_prefix(at + 1);
  const auto slash = text.find('/');
  if (slash != text.npos && slash + 1 < text.size()
      && !number(text.substr(slash + 1), 65535))
    return false;
  return is_host(text.substr(0, slash));
}

bool is_socket(std::string_view text) {
  const auto query = text.find("?db=");
  if (text.find('?') != query)
    return false;
  if (query != text.npos && !number(text.substr(query + 4), 65535))
    return false;
  text = text.substr(0, query);
  if (const auto at = text.find('@'); at != text.npos)
    text.remove_prefix(at + 1);
  return text.size() > 1 && text.front() == '/';
}

/// HOST:PORT,…/NAME with or without /DB.
bool is_sentinel(std::string_view text) {
  if (const auto at = text.rfind('@'); at != text.npos)
    text.remove_prefix(at + 1);
  const auto slash = text.find('/');
  if (slash == text.npos)
    return false;
  auto name = text.substr(slash + 1);
  if (const auto end = name.find('/'); end != name.npos) {
    if (!number(name.substr(end + 1), 65535))
      return false;
    name = name.substr(0, end);
  }
  text = text.substr(0, slash);
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    more = comma != text.npos;
    if (!is_host(text.substr(0, comma)))
      return false;
    text.remove_prefix(more ? comma + 1 : text.size());
  }
  return is_name(name);
}

} // namespace

std::string check_level(std::string_view text) {
  return one_of(text, {"trace", "debug", "info", "warn", "error", "off"});
}

std::string check_format(std::string_view text) {
  return one_of(text, {"text", "json"});
}

std::string check_listen(std::string_view text) {
  const auto at = split(text);
  const bool good = at && number(at->port, 65535)
                    && address_bits(at->host) == (at->bracketed ? 128 : 32);
  return good ? "" : "must be address:port, such as 127.0.0.1:8080 or [::1]:0";
}

std::string check_host(std::string_view text) {
  return is_host(text) ? "" : "must be a host name, with or without :port";
}

std::string check_origin(std::string_view text) {
  const auto colon = text.find("://");
  const auto scheme = text.substr(0, colon);
  if (colon != text.npos && (scheme == "http" || scheme == "https")
      && is_host(text.substr(colon + 3)))
    return {};
  return "must be scheme://host or scheme://host:port, and nothing after it";
}

std::string check_block(std::string_view text) {
  const auto slash = text.find('/');
  const auto bits = address_bits(text.substr(0, slash));
  if (slash != text.npos && bits != 0 && number(text.substr(slash + 1), bits))
    return {};
  return "must be address/prefix, such as 192.168.0.0/16";
}

std::string check_store(std::string_view text) {
  if (text.empty() || text == "memory:"
      || (text.starts_with("sqlite:") && text.size() > 7 && text[7] != ':')
      || (text.starts_with("redis://") && is_redis(text.substr(8)))
      || (text.starts_with("redis+unix://") && is_socket(text.substr(13)))
      || (text.starts_with("redis+sentinel://")
          && is_sentinel(text.substr(17))))
    return {};
  return "must be sqlite:PATH, memory:, redis://HOST:PORT/DB, "
         "redis+unix:///SOCKET?db=DB or "
         "redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB";
}

std::string check_threshold(std::string_view text) {
  if (text.empty() || parse_threshold(text))
    return {};
  return "must be three numbers: raise, clear, seconds";
}

std::string check_not_empty(std::string_view text) {
  return text.empty() ? "must not be empty" : "";
}

std::string check_hex(std::string_view text) {
  const auto is_digit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
           || (c >= 'A' && c <= 'F');
  };
  const bool good = !text.empty() && text.size() % 2 == 0
                    && std::all_of(text.begin(), text.end(), is_digit);
  return good ? "" : "must be pairs of hexadecimal digits";
}

std::string check_stream_key(std::string_view text) {
  constexpr std::size_t least = 32;
  if (text.size() < least)
    return "must be at least 32 hexadecimal digits";
  return check_hex(text);
}

std::string check_path_prefix(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '/';
  };
  const bool good = text.size() > 1 && text.front() == '/' && text.back() != '/'
                    && text.find("//") == text.npos
                    && std::all_of(text.begin(), text.end(), is_plain);
  return good ? "" : "must be a path such as /img, of letters, digits, - and _";
}

std::string check_preset(std::string_view text) {
  const auto equals = text.find('=');
  return equals == 0 || equals == text.npos
           ? "must be name=options, such as small=rs:fill:150:150"
           : "";
}

std::string check_readable(std::string_view text) {
  return text == "tiff" || text == "heic" || text == "svg"
           ? ""
           : "must be tiff, heic or svg";
}

std::string check_hours(std::string_view text) {
  return parse_hours(text)
           ? ""
           : "must be HH:MM-HH:MM MBIT, such as 22:00-06:00 100";
}

bool is_loopback(std::string_view listen) {
  const std::string host{split(listen)->host};
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1)
    return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1
         && IN6_IS_ADDR_LOOPBACK(&v6);
}

} // namespace troupe::config
