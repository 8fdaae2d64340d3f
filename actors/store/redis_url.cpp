#include "actors/store/redis_url.hpp"

#include "actors/store/errc.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>

namespace troupe::store {

namespace {

failure refused(std::string why) {
  return fail(errc::bad_config, "store.url: " + std::move(why));
}

/// Digits only; false for none, too many or others.
template <class T>
bool read_number(std::string_view text, T& out) {
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && stop == end;
}

result<redis_address> read_tcp(const boost::urls::url_view& url,
                               redis_address it) {
  it.host = url.host_address();
  if (it.host.empty())
    return refused("a Redis URL names a host");
  if (url.has_port() && !read_number(std::string{url.port()}, it.port))
    return refused("not a port");
  const std::string path = url.path();
  if (path.size() > 1
      && !read_number(std::string_view{path}.substr(1), it.database))
    return refused("the path of a Redis URL is the number of a database");
  return it;
}

result<redis_address> read_unix(const boost::urls::url_view& url,
                                redis_address it) {
  it.socket = url.path();
  if (it.socket.size() < 2)
    return refused("a redis+unix: URL names the path of a socket");
  for (const auto& param : url.params()) {
    const auto known = std::string_view{param.key.data(), param.key.size()};
    if (known != "db" || !read_number(std::string{param.value}, it.database))
      return refused("the only parameter of a redis+unix: URL is db=N");
  }
  return it;
}

constexpr std::string_view sentinel_scheme = "redis+sentinel://";
constexpr std::uint16_t sentinel_port = 26379;

result<redis_endpoint> read_endpoint(std::string_view text) {
  const auto whole = "redis://" + std::string{text}; // `url` is a view of it
  const auto url = boost::urls::parse_uri(whole);
  if (!url || url->host().empty() || url->has_userinfo()
      || !url->encoded_path().empty())
    return refused("not a Sentinel's address");
  redis_endpoint at{url->host_address(), sentinel_port};
  if (url->has_port() && !read_number(std::string{url->port()}, at.port))
    return refused("not a port");
  return at;
}

/// No URL as others know it: its authority names several hosts.
result<redis_address> read_sentinels(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == text.npos)
    return refused("a Sentinel URL ends in the name of its master");
  auto hosts = text.substr(0, slash);
  std::string who;
  if (const auto at = hosts.rfind('@'); at != hosts.npos) {
    who = hosts.substr(0, at + 1);
    hosts.remove_prefix(at + 1);
  }
  auto name = text.substr(slash + 1);
  const auto end = std::min(name.find('/'), name.size());
  auto it =
    read_redis_url("redis://" + who + "x" + std::string{name.substr(end)});
  if (!it)
    return it;
  it->host.clear();
  it->master = name.substr(0, end);
  if (it->master.empty())
    return refused("a Sentinel URL ends in the name of its master");
  for (bool more = true; more;) {
    const auto comma = hosts.find(',');
    more = comma != hosts.npos;
    auto one = read_endpoint(hosts.substr(0, comma));
    if (!one)
      return one.error();
    it->sentinels.push_back(std::move(*one));
    hosts.remove_prefix(more ? comma + 1 : hosts.size());
  }
  return it;
}

} // namespace

result<redis_address> read_redis_url(std::string_view text) {
  if (text.starts_with(sentinel_scheme))
    return read_sentinels(text.substr(sentinel_scheme.size()));
  const auto url = boost::urls::parse_uri(text);
  if (!url)
    return refused("not a URL");
  redis_address it;
  it.user = url->user();
  it.password = url->password();
  if (url->scheme() == "redis")
    return read_tcp(*url, std::move(it));
  if (url->scheme() == "redis+unix")
    return read_unix(*url, std::move(it));
  return refused("neither redis:, redis+unix: nor redis+sentinel:");
}

std::string place_of(const redis_address& it) {
  if (it.host.empty())
    return it.socket;
  const bool v6 = it.host.find(':') != it.host.npos;
  return (v6 ? '[' + it.host + ']' : it.host) + ':' + std::to_string(it.port);
}

} // namespace troupe::store
