#include "actors/stream_maker.hpp"

#include "config/log.hpp"
#include "config/metrics.hpp"
#include "media/stream/service.hpp"

#include <utility>

namespace troupe::actors {

namespace {

using media::stream_keep;
using media::stream_part;

/// Children that one piece of work may cost by what it is.
constexpr std::uint32_t most_tries = 2;
/// And by who kills them: then whoever waits is told.
constexpr std::uint32_t most_kills = 5;

bool may_do_better(media::errc code) {
  return media::died(code) || code == media::errc::timeout;
}

media::av_order order_of(const segment_work& work) {
  if (work.line)
    return work.line->order(work.number);
  media::av_order out;
  out.source_key = media::to_hex(work.source->key);
  out.what = media::av_what::index;
  out.scan = work.scan;
  return out;
}

} // namespace

media::cache_key index_key(const media::stream_source& source, bool scanned) {
  constexpr std::string_view revision = "1";
  return media::key_of("index " + std::string{revision}
                       + (scanned ? " scanned\n" : "\n") + source.identity);
}

std::optional<made_segment> recall(media::stream_service& streams,
                                   const segment_work& work) {
  made_segment out;
  out.media = streams.recall(work.key);
  if (!out.media)
    return std::nullopt;
  if (!work.line || work.line->kind == media::av_kind::text)
    return out;
  out.init = streams.recall(work.line->init_key());
  if (!out.init)
    return std::nullopt;
  return out;
}

maker_child::maker_child(maker_parts parts, media::child_rank rank)
  : parts_(parts), child_(parts.streams->open_child(rank)) {}

void maker_child::begin(segment_work work, ended heard) {
  work_ = std::move(work);
  heard_ = std::move(heard);
  tries_ = 0;
  kills_ = 0;
  run();
}

void maker_child::run() {
  began_ = clock::now();
  auto task = parts_.streams->compose(*work_->source, order_of(*work_),
                                      parts_.stall * (1 << tries_));
  media::child_listener listener;
  listener.on_end = [heard = heard_](media::child_end end) {
    heard(std::make_shared<media::child_end>(std::move(end)));
  };
  child_->run(std::move(task), std::move(listener));
}

double maker_child::took_ms() const {
  return std::chrono::duration<double, std::milli>(clock::now() - began_)
    .count();
}

bool maker_child::try_again(media::errc code) {
  if (code == media::errc::killed)
    return kills_++ < most_kills;
  if (code == media::errc::crashed && parts_.streams->crashed(*work_->source))
    return false;
  if (!may_do_better(code) || tries_ == most_tries)
    return false;
  ++tries_;
  return true;
}

std::optional<result<made_segment>> maker_child::settle(media::child_end& end) {
  if (end.code != media::errc::none) {
    if (parts_.metrics)
      parts_.metrics->segment_failed(media::code_of(end.code));
    log::warn("a part of a stream was not made",
              {{"source", work_->source->name},
               {"rendition", work_->line ? work_->line->name : "index"},
               {"number", std::to_string(work_->number)},
               {"code", std::string{media::code_of(end.code)}},
               {"error", end.message}});
    parts_.streams->renew(*work_->source);
    if (try_again(end.code)) {
      run();
      return std::nullopt;
    }
    work_.reset();
    return result<made_segment>{fail(end.code, end.message)};
  }
  auto out = work_->line ? keep(end) : keep_index(end);
  if (out)
    out->tries = tries_ + kills_;
  work_.reset();
  return out;
}

result<made_segment> maker_child::keep_index(media::child_end& end) {
  if (auto read = media::read_av_index(end.result); !read)
    return read.error();
  made_segment out;
  out.fresh = true;
  out.media =
    parts_.streams->keep(work_->key, stream_part::index, std::move(end.result),
                         took_ms(), stream_keep::disk);
  return out;
}

result<made_segment> maker_child::keep(media::child_end& end) {
  auto made = media::read_av_result(end.result);
  if (!made)
    return made.error();
  const auto& line = *work_->line;
  const auto ms = took_ms();
  if (parts_.metrics)
    parts_.metrics->segment_made(media::class_of(line), ms / 1000,
                                 line.begin_s(work_->number + 1)
                                   - line.begin_s(work_->number),
                                 made->media.size());
  made_segment out;
  out.fresh = true;
  out.speed = made->speed;
  const bool is_text = line.kind == media::av_kind::text;
  if (!is_text) {
    out.init = parts_.streams->recall(line.init_key());
    if (!out.init)
      out.init =
        parts_.streams->keep(line.init_key(), stream_part::init,
                             std::move(made->init), 10 * ms, stream_keep::disk);
  }
  out.media = parts_.streams->keep(
    work_->key, is_text ? stream_part::subtitles : stream_part::segment,
    std::move(made->media), ms,
    line.is_encoded() || is_text ? stream_keep::disk : stream_keep::memory);
  return out;
}

} // namespace troupe::actors
