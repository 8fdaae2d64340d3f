#include "actors/store/redis_url.hpp"

#include "actors/store/errc.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

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
    return refused("a unix: URL names the path of a socket");
  for (const auto& param : url.params()) {
    const auto known = std::string_view{param.key.data(), param.key.size()};
    if (known != "db" || !read_number(std::string{param.value}, it.database))
      return refused("the only parameter of a unix: URL is db=N");
  }
  return it;
}

} // namespace

result<redis_address> read_redis_url(std::string_view text) {
  const auto url = boost::urls::parse_uri(text);
  if (!url)
    return refused("not a URL");
  redis_address it;
  it.user = url->user();
  it.password = url->password();
  if (url->scheme() == "redis")
    return read_tcp(*url, std::move(it));
  if (url->scheme() == "unix")
    return read_unix(*url, std::move(it));
  return refused("neither redis: nor unix:");
}

} // namespace troupe::store
