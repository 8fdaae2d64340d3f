#include "media/av/task.hpp"

#include "media/av/members.hpp"
#include "media/av/members_json.hpp"

#include <algorithm>
#include <concepts>

namespace troupe::media {

namespace {

using as_json::read_ours;
using as_json::write;
namespace json = boost::json;

constexpr std::size_t length_size = 8;

/// What of a result is no bytes, and how many of them each part has.
struct result_head {
  av_result told;
  std::uint64_t init_size = 0;
  std::uint64_t media_size = 0;
};

template <class Head, class Visit>
requires std::same_as<std::remove_const_t<Head>, result_head>
void members(Head& of, Visit visit) {
  visit("told", of.told);
  visit("init_size", of.init_size);
  visit("media_size", of.media_size);
}

/// The text before the bytes; empty if it is not all there.
std::string_view head_of(std::string_view bytes) {
  if (bytes.size() < length_size)
    return {};
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i)
    length |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << 8 * i;
  if (length > bytes.size() - length_size)
    return {};
  return bytes.substr(length_size, length);
}

} // namespace

std::string encode_av_order(const av_order& order) {
  return json::serialize(write(order));
}

result<av_order> read_av_order(std::string_view params) {
  return read_ours<av_order>(errc::bad_params, params);
}

std::string encode_av_index(const av_index& index) {
  return json::serialize(write(index));
}

result<av_index> read_av_index(std::string_view text) {
  return read_ours<av_index>(errc::internal, text);
}

std::string encode_av_result(const av_result& made) {
  result_head head{{{},
                    {},
                    made.codecs,
                    made.frames,
                    made.speed,
                    made.start,
                    made.end,
                    made.missing},
                   made.init.size(),
                   made.media.size()};
  const auto said = json::serialize(write(head));
  std::string text;
  text.reserve(length_size + said.size() + made.init.size()
               + made.media.size());
  for (std::size_t i = 0; i < length_size; ++i)
    text += static_cast<char>(said.size() >> 8 * i & 0xff);
  return text + said + made.init + made.media;
}

result<av_result> read_av_result(std::string_view bytes) {
  const auto said = head_of(bytes);
  const auto head = read_ours<result_head>(errc::internal, said);
  if (!head)
    return head.error();
  auto rest = bytes.substr(length_size + said.size());
  if (head->init_size > rest.size()
      || head->media_size != rest.size() - head->init_size)
    return fail(errc::internal, "a result of another size");
  auto made = head->told;
  made.init = rest.substr(0, head->init_size);
  made.media = rest.substr(head->init_size);
  return made;
}

} // namespace troupe::media
