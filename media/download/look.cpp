#include "media/download/look.hpp"

#include "media/download/manifest.hpp"
#include "media/download/transfer.hpp"
#include "media/files/digest.hpp"

#include <boost/asio/post.hpp>
#include <curl/curl.h>

#include <thread>
#include <utility>

namespace troupe::media {

namespace {

bool answered(const transfer& from) {
  return from.status == 200 || from.status == 206;
}

/// A date vouches for every byte only if nothing can have changed since
/// within the same second (RFC 9110, 8.8.2.2).
bool is_strong_date(const transfer& from) {
  const auto changed = curl_getdate(from.last_modified.c_str(), nullptr);
  const auto sent = curl_getdate(from.date.c_str(), nullptr);
  return changed > 0 && sent > changed;
}

part_state state_of(const std::string& format, const transfer& from) {
  part_state state;
  state.format = format;
  if (!answered(from))
    return state;
  state.length = from.length;
  if (from.etag.starts_with('"'))
    state.etag = from.etag;
  else if (is_strong_date(from))
    state.last_modified = from.last_modified;
  return state;
}

transfer transfer_of(const chosen_format& format) {
  transfer wanted;
  wanted.url = format.url;
  wanted.headers = format.headers;
  wanted.first_byte = format.plain();
  return wanted;
}

/// The playlist's hash and its first segment's validator, as one.
part_state state_of_list(const std::string& format, const transfer& list,
                         const transfer& segment) {
  auto state = state_of(format, segment);
  state.length = -1;
  if (!state.has_validator() || !answered(list))
    return part_state{format, -1, "", ""};
  state.etag =
    sha256_hex(list.body) + " " + state.etag + " " + state.last_modified;
  state.last_modified.clear();
  return state;
}

/// What is asked next of each playlist: its first segment.
std::vector<transfer> segments_of(const std::vector<chosen_format>& formats,
                                  const std::vector<transfer>& lists,
                                  source_look& look) {
  std::vector<transfer> segments(formats.size());
  for (std::size_t i = 0; i < formats.size(); ++i) {
    if (formats[i].plain() || !answered(lists[i]))
      continue;
    const auto list = read_manifest(lists[i].body, lists[i].effective_url);
    look.live = look.live || list.live;
    segments[i].url = list.first_segment;
    segments[i].headers = formats[i].headers;
  }
  return segments;
}

source_look look_at(const std::vector<chosen_format>& formats,
                    const std::string& proxy, const std::string& cookies,
                    const std::stop_token& stop) {
  source_look look;
  std::vector<transfer> first;
  for (const auto& format : formats)
    first.push_back(transfer_of(format));
  carry_out(first, proxy, cookies, stop);
  auto second = segments_of(formats, first, look);
  carry_out(second, proxy, cookies, stop);
  for (std::size_t i = 0; i < formats.size(); ++i)
    look.parts.push_back(formats[i].plain()
                           ? state_of(formats[i].id, first[i])
                           : state_of_list(formats[i].id, first[i], second[i]));
  return look;
}

} // namespace

struct looking::impl {
  std::jthread thread;
};

looking::looking(std::vector<chosen_format> formats, std::string proxy,
                 std::string cookies, boost::asio::any_io_executor executor,
                 done then)
  : impl_(std::make_unique<impl>()) {
  impl_->thread =
    std::jthread{[formats = std::move(formats), proxy = std::move(proxy),
                  cookies = std::move(cookies), executor = std::move(executor),
                  then = std::move(then)](const std::stop_token& stop) {
      auto look = look_at(formats, proxy, cookies, stop);
      boost::asio::post(executor, [then, look = std::move(look)]() mutable {
        then(std::move(look));
      });
    }};
}

looking::~looking() = default;

} // namespace troupe::media
