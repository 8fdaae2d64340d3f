#include "media/download/transfer.hpp"

#include "config/text.hpp"
#include "media/curl_pointers.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <mutex>
#include <string_view>

namespace troupe::media {

namespace {

constexpr std::size_t most_body = 16u << 20;
constexpr long timeout_s = 20;

std::int64_t number_in(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text.size() > 18)
    return -1;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// A redirect's header lines come first; each status line starts anew.
void forget(transfer& to) {
  to.length = -1;
  to.etag.clear();
  to.last_modified.clear();
  to.date.clear();
}

void take_header(transfer& to, std::string_view line) {
  if (line.starts_with("HTTP/"))
    return forget(to);
  const auto colon = line.find(':');
  if (colon == line.npos)
    return;
  const auto name = config::lower(line.substr(0, colon));
  const auto value = config::trimmed(line.substr(colon + 1));
  if (name == "etag")
    to.etag = value;
  else if (name == "last-modified")
    to.last_modified = value;
  else if (name == "date")
    to.date = value;
  else if (name == "content-range")
    to.length =
      number_in(value.substr(std::min(value.rfind('/') + 1, value.size())));
  else if (name == "content-length" && to.length < 0)
    to.length = number_in(value);
}

std::size_t on_header(char* data, std::size_t size, std::size_t count,
                      void* to) {
  take_header(*static_cast<transfer*>(to), {data, size * count});
  return size * count;
}

/// Taking less than was given ends the transfer.
std::size_t on_body(char* data, std::size_t size, std::size_t count, void* to) {
  auto& out = *static_cast<transfer*>(to);
  const auto bytes = size * count;
  if (out.first_byte)
    return bytes <= 1 ? bytes : 0;
  if (out.body.size() + bytes > most_body)
    return 0;
  out.body.append(data, bytes);
  return bytes;
}

/// One transfer's handle and what it points at.
struct prepared {
  list_ptr headers;
  easy_ptr easy;
};

list_ptr header_list(const transfer& of) {
  list_ptr list;
  for (const auto& [name, value] : of.headers) {
    auto* grown = curl_slist_append(list.get(), (name + ": " + value).c_str());
    if (!grown)
      break;
    static_cast<void>(list.release());
    list.reset(grown);
  }
  return list;
}

prepared prepare(transfer& of, const std::string& proxy,
                 const std::string& cookies) {
  prepared made{header_list(of), easy_ptr{curl_easy_init()}};
  auto* easy = made.easy.get();
  if (!easy)
    return made;
  curl_easy_setopt(easy, CURLOPT_URL, of.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(easy, CURLOPT_PROXY, proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_COOKIEFILE, cookies.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, timeout_s);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, made.headers.get());
  if (of.first_byte)
    curl_easy_setopt(easy, CURLOPT_RANGE, "0-0");
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &of);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &of);
  return made;
}

void take_answer(transfer& to, CURL* easy) {
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &to.status);
  const char* url = nullptr;
  curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
  to.effective_url = url ? url : to.url;
}

void run(CURLM* multi, const std::stop_token& stop) {
  const std::stop_callback wake{stop, [multi] {
                                  curl_multi_wakeup(multi);
                                }};
  int running = 1;
  while (running > 0 && !stop.stop_requested()) {
    if (curl_multi_perform(multi, &running) != CURLM_OK)
      return;
    if (running > 0)
      curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
}

} // namespace

void carry_out(std::vector<transfer>& transfers, const std::string& proxy,
               const std::string& cookies, std::stop_token stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const multi_ptr multi{curl_multi_init()};
  if (!multi)
    return;
  std::vector<prepared> all;
  for (auto& each : transfers) {
    all.push_back(each.url.empty() ? prepared{}
                                   : prepare(each, proxy, cookies));
    if (auto* easy = all.back().easy.get())
      curl_multi_add_handle(multi.get(), easy);
  }
  run(multi.get(), stop);
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    if (auto* easy = all[i].easy.get()) {
      take_answer(transfers[i], easy);
      curl_multi_remove_handle(multi.get(), easy);
    }
  }
}

} // namespace troupe::media
