#include "net/origin_guard.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::net {

namespace {

using config::lower;

struct host_port {
  std::string name;
  std::optional<std::uint16_t> port;
};

/// Splits `host[:port]`, brackets of an IPv6 address kept.
std::optional<host_port> split(std::string_view text) {
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == text.npos ? 0 : bracket);
  host_port out{lower(text.substr(0, colon)), {}};
  if (out.name.empty())
    return std::nullopt;
  if (colon == text.npos)
    return out;
  std::uint16_t port = 0;
  const auto digits = text.substr(colon + 1);
  const auto [end, error] =
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size())
    return std::nullopt;
  out.port = port;
  return out;
}

bool holds(const std::vector<std::string>& list, const std::string& what) {
  return std::ranges::find(list, what) != list.end();
}

} // namespace

origin_guard::origin_guard(const config::http_settings& settings,
                           std::string address, std::uint16_t port,
                           bool loopback)
  : port_{port} {
  names_.push_back(lower(address));
  if (address.find(':') != address.npos)
    names_.push_back("[" + lower(address) + "]");
  if (loopback)
    names_.insert(names_.end(), {"localhost", "127.0.0.1", "[::1]"});
  for (const auto& each : settings.hosts)
    hosts_.push_back(lower(each));
  for (const auto& each : settings.origins)
    origins_.push_back(lower(each));
}

bool origin_guard::is_ours(std::string_view host) const {
  const auto named = split(host);
  if (!named)
    return false;
  if (holds(names_, named->name))
    return !named->port || *named->port == port_;
  return holds(hosts_, named->name) || holds(hosts_, lower(host));
}

bool origin_guard::is_listed(std::string_view origin) const {
  return holds(origins_, lower(origin));
}

std::optional<problem> origin_guard::check(const header_fields& fields,
                                           bool guarded) const {
  if (!is_ours(fields.host))
    return problem{problem_code::forbidden,
                   "this Host is not one of the server's (see http.hosts)"};
  if (fields.origin.data() == nullptr || !guarded || is_listed(fields.origin))
    return std::nullopt;
  const auto origin = lower(fields.origin);
  const auto host = lower(fields.host);
  if (origin == "http://" + host || origin == "https://" + host)
    return std::nullopt;
  return problem{problem_code::forbidden,
                 "this Origin is not let in (see http.origins)"};
}

} // namespace troupe::net
