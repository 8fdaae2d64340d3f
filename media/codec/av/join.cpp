#include "media/codec/av/join.hpp"

#include "media/av/join_task.hpp"
#include "media/codec/av/film_file.hpp"
#include "media/codec/av/joined_track.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace troupe::codec {

namespace {

using media::errc;
using track_list = std::vector<std::unique_ptr<joined_track>>;

result<track_list> open_tracks(const media::av_join_order& order, int pack) {
  const auto all = media::read_pack(pack, false);
  track_list tracks;
  for (const auto& each : order.tracks) {
    auto opened = joined_track::open(each, all, pack);
    if (!opened)
      return opened.error();
    tracks.push_back(std::move(*opened));
  }
  if (tracks.empty())
    return fail(errc::bad_params, "no track is to be joined");
  return tracks;
}

/// The track whose next packet is decoded first; null: all are at their end.
result<joined_track*> first_of(track_list& tracks) {
  joined_track* first = nullptr;
  for (const auto& each : tracks) {
    const auto ready = each->peek();
    if (!ready)
      return ready.error();
    const auto* packet = *ready;
    const auto* other = first ? *first->peek() : nullptr;
    if (packet
        && (!other
            || av_compare_ts(packet->dts, each->base(), other->dts,
                             first->base())
                 < 0))
      first = each.get();
  }
  return first;
}

result<void> join(const media::av_join_order& order,
                  const task_request& request, task_context& context) {
  auto tracks = open_tracks(order, request.files[0]);
  if (!tracks)
    return tracks.error();
  auto film = film_file::begin(request.files[1], order.container);
  if (!film)
    return film.error();
  for (const auto& each : *tracks)
    if (auto added = (*film)->add_track(each->like()); !added)
      return added.error();
  if (auto begun = (*film)->write_head(); !begun)
    return begun;
  for (std::uint64_t written = 1;; ++written) {
    const auto next = first_of(*tracks);
    if (!next)
      return next.error();
    if (!*next)
      break;
    const auto packet = (*next)->take();
    const auto at =
      std::ranges::find(*tracks, *next, &std::unique_ptr<joined_track>::get);
    packet->stream_index = static_cast<int>(at - tracks->begin());
    if (auto done = (*film)->write(*packet, (*next)->base()); !done)
      return done;
    context.progress(written, 0);
  }
  return (*film)->finish();
}

} // namespace

task_answer join_film(const task_request& request, task_context& context) {
  av_log_set_level(AV_LOG_QUIET);
  const auto order = media::read_av_join(request.params);
  if (!order || request.files.size() != 2)
    return {errc::bad_params, "nothing can be joined like that"};
  const auto done = join(*order, request, context);
  if (!done)
    return {static_cast<errc>(done.error().code.value()),
            done.error().detail.empty() ? done.error().message()
                                        : done.error().detail};
  return {errc::none, "{}"};
}

} // namespace troupe::codec
