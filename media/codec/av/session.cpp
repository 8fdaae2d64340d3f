#include "media/codec/av/session.hpp"

#include "media/av/grid.hpp"
#include "media/av/task.hpp"
#include "media/codec/av/audio.hpp"
#include "media/codec/av/copy.hpp"
#include "media/codec/av/index.hpp"
#include "media/codec/av/source.hpp"
#include "media/codec/av/subtitles.hpp"
#include "media/codec/av/video_run.hpp"

#include <memory>
#include <string>

namespace troupe::codec {

namespace {

using media::av_order;
using media::av_result;
using media::av_what;
using media::errc;

/// What a child has open from task to task. Invariant: `run` decodes `source`.
struct open_film {
  std::string key; ///< empty: nothing is open
  std::unique_ptr<av_source> source;
  std::unique_ptr<video_run> run;

  void close() {
    run.reset();
    source.reset();
    key.clear();
  }
};

/// The only state that a child keeps: one film, as it has one thread.
open_film& current() {
  static open_film film;
  return film;
}

task_answer film_answer(const failure& why) {
  return {static_cast<errc>(why.code.value()),
          why.detail.empty() ? why.message() : why.detail};
}

result<av_source*> source_of(const av_order& order, const task_request& request,
                             task_context& context) {
  auto& film = current();
  if (film.source && film.key == order.source_key && !film.key.empty()) {
    film.source->serve(context);
    return film.source.get();
  }
  film.close();
  auto opened = av_source::open(order, request, context);
  if (!opened)
    return opened.error();
  film.source = std::move(*opened);
  film.key = order.source_key;
  return film.source.get();
}

result<av_result> encode_video(av_source& source, const av_order& order,
                               task_context& context) {
  auto& run = current().run;
  if (!run || !run->fits(order)) {
    run.reset();
    auto opened = video_run::open(source, order);
    if (!opened)
      return opened.error();
    run = std::move(*opened);
  }
  return run->make(order, context);
}

result<av_result> make(av_source& source, const av_order& order,
                       task_context& context) {
  if (auto done = source.look_into(); !done)
    return done.error();
  // Another track's packets take the decoder's away.
  if (order.what != av_what::encode_video)
    current().run.reset();
  switch (order.what) {
  case av_what::copy_video:
  case av_what::copy_audio:
    return copy_segment(source, order);
  case av_what::encode_video:
    return encode_video(source, order, context);
  case av_what::encode_audio:
    return encode_audio(source, order);
  case av_what::subtitles:
    return make_subtitles(source, order);
  case av_what::index:
    break;
  }
  return fail(errc::bad_params, "no segment is asked for");
}

bool makes_sense(const av_order& order) {
  constexpr std::uint32_t largest = 8192;
  const auto& video = order.video;
  const auto& audio = order.audio;
  return order.base.num > 0 && order.base.den > 0 && order.end >= order.start
         && video.width <= largest && video.height <= largest
         && audio.channels >= 1 && audio.channels <= 8
         && audio.sample_rate >= 7350 && audio.sample_rate <= 96'000;
}

} // namespace

task_answer index_film(const task_request& request, task_context& context) {
  av_log_set_level(AV_LOG_QUIET);
  const auto order = media::read_av_order(request.params);
  if (!order)
    return film_answer(order.error());
  current().close();
  const auto source = source_of(*order, request, context);
  if (!source)
    return film_answer(source.error());
  const auto index = make_index(**source, order->scan);
  if (!index) {
    current().close();
    return film_answer(index.error());
  }
  return {errc::none, media::encode_av_index(*index)};
}

task_answer make_film_segment(const task_request& request,
                              task_context& context) {
  av_log_set_level(AV_LOG_QUIET);
  const auto order = media::read_av_order(request.params);
  if (!order)
    return film_answer(order.error());
  if (!makes_sense(*order))
    return {errc::bad_params, "no segment is like that"};
  if (order->video.burn_in >= 0)
    return {errc::bad_params, "subtitles of pictures are not burnt in"};
  const auto source = source_of(*order, request, context);
  if (!source)
    return film_answer(source.error());
  const auto made = make(**source, *order, context);
  if (!made) {
    // What failed may be in any state.
    current().close();
    return film_answer(made.error());
  }
  return {errc::none, media::encode_av_result(*made)};
}

} // namespace troupe::codec
