#include "media/stream/remote_films.hpp"

#include "media/errc.hpp"

#include <boost/asio/post.hpp>

namespace troupe::media {

namespace {

/// Of one film, read again and again: what its own limits are for.
constexpr std::uint64_t most_read = 1ull << 50;
constexpr std::size_t first_read = 4096;

result<source_ptr> described(const std::string& url,
                             const remote_source& from) {
  if (from.size() < 0)
    return fail(errc::source_unavailable, "its server does not tell its size");
  auto out = std::make_shared<stream_source>();
  out->name = url;
  out->url = url;
  out->size = static_cast<std::uint64_t>(from.size());
  out->identity = "stream\n" + url + '\n' + std::to_string(from.size()) + '\n'
                  + from.validator();
  out->key = key_of(out->identity);
  return source_ptr{std::move(out)};
}

} // namespace

std::shared_ptr<remote_source> remote_films::make(const std::string& url) {
  return std::make_shared<remote_source>(threads_, fetcher_, proxy_, url,
                                         most_read);
}

void remote_films::open(std::string url, heard done) {
  auto from = make(url);
  auto look = [from, url = std::move(url),
               done = std::move(done)](const result<std::string>& bytes) {
    done(bytes ? described(url, *from) : bytes.error());
  };
  boost::asio::post(threads_.io(), [from, look = std::move(look)] {
    from->read(0, first_read, look);
  });
}

std::shared_ptr<remote_source>
remote_films::reader_of(const stream_source& source) {
  const std::lock_guard lock{mutex_};
  if (const auto found = open_.find(source.key); found != open_.end())
    return found->second;
  if (open_.size() == most_open)
    open_.erase(open_.begin());
  return open_[source.key] = make(source.url);
}

void remote_films::close(const stream_source& source) {
  const std::lock_guard lock{mutex_};
  open_.erase(source.key);
}

} // namespace troupe::media
