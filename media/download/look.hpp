#pragma once

#include "media/download/source_info.hpp"
#include "media/download/source_state.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// What a look at a source's formats, just before fetching, has shown.
struct source_look {
  std::vector<part_state> parts; ///< one per format, in order
  bool live = false;             ///< an HLS playlist without an end
};

/// Asks for the first byte of each format (a GET, since sources sign for that
/// method) and reads its length and validators; of an HLS playlist the hash
/// and the validator of its first segment stand for the whole. What cannot be
/// looked at comes back without a validator. Runs on a thread of its own, all
/// traffic through the proxy. Destroying it breaks off the look.
class looking {
public:
  using done = std::function<void(source_look)>;

  /// @param proxy,cookies as for yt-dlp. `then` is called once, on `executor`,
  /// unless the look is broken off.
  looking(std::vector<chosen_format> formats, std::string proxy,
          std::string cookies, boost::asio::any_io_executor executor,
          done then);
  ~looking();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::media
