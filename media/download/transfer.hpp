#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace troupe::media {

/// One GET of a small resource, or of the first byte of a large one.
struct transfer {
  std::string url; ///< empty: nothing to be done
  std::vector<std::pair<std::string, std::string>> headers;
  bool first_byte = true; ///< the body is of no interest

  // The answer.
  long status = 0; ///< 0: none came
  std::string effective_url;
  std::int64_t length = -1; ///< of the whole resource
  std::string etag;
  std::string last_modified;
  std::string date;
  std::string body; ///< unless `first_byte`; at most 16 MiB
};

/// Carries out all transfers at once; blocks for at most 20 seconds, or until
/// `stop`. Only http and https, redirects included, only through `proxy`.
void carry_out(std::vector<transfer>& transfers, const std::string& proxy,
               const std::string& cookies, std::stop_token stop);

} // namespace troupe::media
