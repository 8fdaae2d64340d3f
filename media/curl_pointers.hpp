#pragma once

#include <curl/curl.h>

#include <memory>

/// Owners of libcurl's handles. For sources only: it brings curl.h along.
namespace troupe::media {

/// Calls `Free` of libcurl; CURL and CURLM are both `void`.
template <auto Free>
struct curl_deleter {
  void operator()(auto* handle) const noexcept {
    Free(handle);
  }
};

using easy_ptr = std::unique_ptr<CURL, curl_deleter<curl_easy_cleanup>>;
using multi_ptr = std::unique_ptr<CURLM, curl_deleter<curl_multi_cleanup>>;
using list_ptr = std::unique_ptr<curl_slist, curl_deleter<curl_slist_free_all>>;

} // namespace troupe::media
