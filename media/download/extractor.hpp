#pragma once

#include "config/result.hpp"
#include "media/download/services.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace troupe::media {

/// Looks at URLs for `POST /v1/extract`, a few at once; the others wait their
/// turn in order.
class extractor {
public:
  using done = std::function<void(result<std::string>)>;

  /// @param folder where each look has a folder of its own for its time.
  /// @param services outlive it.
  extractor(const download_services& services, std::filesystem::path folder);
  /// Ends the looks under way; those who wait hear `interrupted`.
  ~extractor();

  /// `then` is called once, on a thread of the media layer. `rate_limited` if
  /// too many wait already. Thread-safe.
  void extract(std::string url, done then);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace troupe::media
