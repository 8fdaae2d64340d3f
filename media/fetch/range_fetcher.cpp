#include "media/fetch/range_fetcher.hpp"

#include "config/text.hpp"
#include "media/curl_loop.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace troupe::media {

namespace {

constexpr long connect_limit_ms = 10'000;
constexpr long most_redirects = 5;
constexpr std::size_t most_headers = 64u << 10;

/// A part under way. Its address is known to its easy handle.
struct part_fetch {
  range_request what;
  range_heard heard;
  range_answer answer = {};
  std::size_t header_bytes = 0;
  bool whole = false; ///< as much as is taken has come
  list_ptr headers = {};
  easy_ptr easy = {};
};

std::int64_t length_in(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, wrong] =
    std::from_chars(text.data(), text.data() + text.size(), value);
  return wrong == std::errc{} && end == text.data() + text.size() ? value : -1;
}

void take_field(range_answer& to, std::string_view name,
                std::string_view value) {
  if (name == "content-range")
    to.total = length_in(value.substr(std::min(value.rfind('/'), value.size())
                                      + (value.empty() ? 0 : 1)));
  else if (name == "content-length" && to.total < 0)
    to.total = length_in(value);
  else if (name == "etag")
    to.etag = value;
  else if (name == "last-modified")
    to.last_modified = value;
}

/// Of the newest header: a strong ETag, else the time of change.
std::string validator_of(const range_answer& answer) {
  const bool strong = !answer.etag.empty() && !answer.etag.starts_with("W/");
  return strong ? answer.etag : answer.last_modified;
}

/// Bytes that are taken of an answer.
std::size_t room_of(const range_request& what, long status) {
  if (what.whole)
    return what.size + 1;
  return status == 206 ? what.size : range_fetcher::most_whole;
}

/// A redirect's header lines come first; each status line starts anew.
std::size_t take_header(char* at, std::size_t size, std::size_t count,
                        void* of) {
  auto& now = *static_cast<part_fetch*>(of);
  const std::string_view line{at, size * count};
  now.header_bytes += line.size();
  if (now.header_bytes > most_headers)
    return 0;
  if (line.starts_with("HTTP/")) {
    now.answer.total = -1;
    now.answer.etag.clear();
    now.answer.last_modified.clear();
  }
  const auto colon = line.find(':');
  if (colon != line.npos)
    take_field(now.answer, config::lower(line.substr(0, colon)),
               config::trimmed(line.substr(colon + 1)));
  return line.size();
}

/// Taking less than was given ends the transfer.
std::size_t take_body(char* at, std::size_t size, std::size_t count, void* of) {
  auto& now = *static_cast<part_fetch*>(of);
  long status = 0;
  curl_easy_getinfo(now.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200 && status != 206)
    return size * count;
  const auto room = room_of(now.what, status) - now.answer.bytes.size();
  const auto taken = std::min(room, size * count);
  now.answer.bytes.append(at, taken);
  now.whole = taken == room;
  return now.whole ? 0 : taken;
}

list_ptr header_list(const range_request& what) {
  list_ptr list;
  const auto add = [&list](const char* name, const std::string& value) {
    if (!value.empty())
      list.reset(curl_slist_append(list.release(), (name + value).c_str()));
  };
  if (what.whole) {
    add("If-None-Match: ", what.etag);
    add("If-Modified-Since: ", what.last_modified);
  } else {
    add("If-Range: ", what.validator);
  }
  return list;
}

/// What another try would meet again is no matter of time.
errc code_of_end(CURLcode outcome) {
  switch (outcome) {
  case CURLE_UNSUPPORTED_PROTOCOL:
    return errc::source_forbidden;
  case CURLE_TOO_MANY_REDIRECTS:
  case CURLE_URL_MALFORMAT:
    return errc::invalid_media;
  default:
    return errc::source_unavailable;
  }
}

range_answer answer_of(part_fetch& now, CURLcode outcome) {
  auto said = std::move(now.answer);
  said.validator = validator_of(said);
  auto* easy = now.easy.get();
  const bool cut = outcome == CURLE_WRITE_ERROR && now.whole;
  if (outcome != CURLE_OK && !cut) {
    said.wrong = code_of_end(outcome);
    said.error = curl_easy_strerror(outcome);
    said.bytes.clear();
    return said;
  }
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &said.status);
  said.retry_after_s = retry_after(easy);
  return said;
}

} // namespace

class range_fetcher::impl {
public:
  void fetch(range_request what, range_heard heard) {
    loop_.add({std::move(what), std::move(heard)});
  }

private:
  static void prepare(part_fetch& it) {
    it.headers = header_list(it.what);
    auto* easy = it.easy.get();
    set_up(easy, it.what.url.c_str(), it.what.proxy.c_str(),
           static_cast<long>(it.what.limit.count()), it.headers.get());
    const auto last = it.what.offset + it.what.size - 1;
    const auto range =
      std::to_string(it.what.offset) + '-' + std::to_string(last);
    if (!it.what.whole)
      curl_easy_setopt(easy, CURLOPT_RANGE, range.c_str());
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, most_redirects);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_limit_ms);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &it);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &it);
  }

  static void settle(part_fetch& it, CURLcode outcome) {
    it.heard(answer_of(it, outcome));
  }

  curl_loop<part_fetch> loop_{prepare, settle};
};

range_fetcher::range_fetcher() : impl_{std::make_unique<impl>()} {}

range_fetcher::~range_fetcher() = default;

void range_fetcher::fetch(range_request what, range_heard heard) {
  impl_->fetch(std::move(what), std::move(heard));
}

} // namespace troupe::media
