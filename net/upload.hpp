#pragma once

#include "config/result.hpp"
#include "media/imaging/work.hpp"
#include "net/problem.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe::media {
class upload_file;
}

namespace troupe::net {

struct edge;

/// Bytes of bodies under way, of all clients and of each. On the io thread
/// alone. Invariant: `all_` is the sum of `of_`, where nobody has none.
class upload_book {
public:
  /// What is wrong with so many more; they are not counted then.
  [[nodiscard]] std::optional<problem> add(const std::string& client,
                                           std::uint64_t bytes,
                                           std::uint64_t most_of_all,
                                           std::uint64_t most_of_one);
  void remove(const std::string& client, std::uint64_t bytes);

private:
  std::uint64_t all_ = 0;
  std::map<std::string, std::uint64_t> of_;
};

/// One image that a client sends, on its way into a file; what is sent beyond
/// a budget is refused: 413 for itself, 429 for its client, 503 for all, 507
/// for the disk. On the io thread, which it does not block. Invariant: so many
/// bytes as `counted_` are its own in the edge's book, until it goes.
class upload {
public:
  /// @param client whose budget counts
  upload(edge& at, std::string client);
  ~upload();
  upload(const upload&) = delete;
  upload& operator=(const upload&) = delete;

  /// Before its first byte. @param length as the header says, if it does
  [[nodiscard]] boost::asio::awaitable<std::optional<problem>>
  begin(std::optional<std::uint64_t> length);

  [[nodiscard]] boost::asio::awaitable<std::optional<problem>>
  take(std::string bytes);

  /// All of it is there.
  [[nodiscard]] boost::asio::awaitable<
    result<std::shared_ptr<const media::image_input>>>
  finish();

private:
  [[nodiscard]] std::optional<problem> count(std::uint64_t bytes);

  edge& at_;
  const std::string client_;
  std::uint64_t counted_ = 0;
  std::uint64_t size_ = 0;
  std::shared_ptr<media::upload_file> file_;
};

} // namespace troupe::net
