#include "net/source_url.hpp"

#include "config/text.hpp"
#include "media/probe/local_path.hpp"
#include "net/job_id.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <cstdint>

namespace troupe::net {

namespace {

constexpr std::string_view job = "job:";

field_error wrong(std::string detail) {
  return {"", std::move(detail), {}};
}

/// An empty port is the scheme's own (RFC 3986, 3.2.3).
bool is_port(boost::urls::string_view text) {
  std::uint16_t port = 1;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  return text.empty() || (error == std::errc{} && at == end && port > 0);
}

} // namespace

std::optional<field_error> source_url_fault(std::string_view url,
                                            const media::address_guard& guard) {
  namespace urls = boost::urls;
  if (url.size() > max_url_bytes)
    return wrong("must have at most 8192 bytes");
  const auto parsed = urls::parse_uri(url);
  if (!parsed)
    return wrong("must be a URL (RFC 3986)");
  const auto scheme = parsed->scheme_id();
  if (scheme != urls::scheme::http && scheme != urls::scheme::https)
    return wrong("must begin with http:// or https://");
  const std::string host{parsed->host_address()};
  if (host.empty())
    return wrong("must name a host");
  if (!is_port(parsed->port()))
    return wrong("must have a port from 1 to 65535");
  if (!guard.may_name(host))
    return field_error{
      "", "names an address that may not be fetched from",
      std::string{kind_of(problem_code::source_forbidden).word}};
  return std::nullopt;
}

std::optional<field_error> source_fault(std::string_view source,
                                        const media::address_guard& guard) {
  const auto begin = config::lower(source.substr(0, 8));
  if (begin.starts_with("http://") || begin.starts_with("https://"))
    return source_url_fault(source, guard);
  if (source.starts_with(job) && is_job_id(source.substr(job.size())))
    return std::nullopt;
  if (!source.starts_with(media::local_scheme))
    return wrong("must be local:///path, http(s)://… or job:ID");
  if (source.find_first_of("?#") != source.npos)
    return wrong("must hold ? and # percent-encoded");
  const auto path = media::local_path_of(source);
  return path ? std::nullopt : std::optional{wrong(path.error().detail)};
}

std::optional<field_error> folder_fault(std::string_view source) {
  const auto path = media::local_folder_of(source);
  return path ? std::nullopt : std::optional{wrong(path.error().detail)};
}

} // namespace troupe::net
