#include "media/imaging/source_name.hpp"

#include "media/cache/cache_key.hpp"
#include "media/probe/local_path.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url.hpp>

#include <filesystem>

namespace troupe::media {

namespace {

namespace urls = boost::urls;

constexpr std::string_view local_prefix = "local://";

std::string plain_local(std::string_view path) {
  const auto encoded = urls::make_pct_string_view(path);
  if (encoded.has_error())
    return std::string{local_prefix}.append(path);
  const std::filesystem::path decoded{encoded->decode()};
  return std::string{local_prefix}
         + urls::encode(decoded.lexically_normal().string(),
                        urls::unreserved_chars + '/');
}

std::string plain_url(std::string_view source) {
  const auto read = urls::parse_uri(source);
  if (read.has_error())
    return std::string{source};
  urls::url plain{*read};
  plain.remove_fragment();
  plain.normalize();
  const bool secure = plain.scheme_id() == urls::scheme::https;
  if (plain.port().empty() || plain.port() == (secure ? "443" : "80"))
    plain.remove_port();
  plain.set_path_absolute(true);
  return std::string{plain.buffer()};
}

} // namespace

std::string plain_source(std::string_view source) {
  if (source.starts_with(local_scheme))
    return plain_local(source.substr(local_prefix.size()));
  const auto scheme = source.substr(0, source.find(':'));
  if (urls::string_to_scheme(scheme) == urls::scheme::http
      || urls::string_to_scheme(scheme) == urls::scheme::https)
    return plain_url(source);
  return std::string{source};
}

std::uint64_t source_mark(std::string_view source) {
  return mark_of(plain_source(source));
}

} // namespace troupe::media
