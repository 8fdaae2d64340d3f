#include "config/keys.hpp"

#include "config/forms.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

constexpr double any = std::numeric_limits<double>::infinity();

/// The place of one member of one section.
template <auto Section, auto Member>
place at(settings& values) {
  return &(values.*Section.*Member);
}

using s = settings;
using http = http_settings;
using store = store_settings;
using pool = pool_settings;
using node = node_settings;
using alert = alert_settings;
using tool = tool_settings;
using sandbox = sandbox_settings;
using event = event_settings;
using callback = callback_settings;
using image = image_settings;
using stream = stream_settings;
using bandwidth = bandwidth_settings;

constexpr key table[] = {
  {"log.level", at<&s::log, &log_settings::level>, 0, any, check_level},
  {"log.format", at<&s::log, &log_settings::format>, 0, any, check_format},

  {"http.listen", at<&s::http, &http::listen>, 0, any, check_listen},
  {"http.hosts", at<&s::http, &http::hosts>, 0, any, check_host},
  {"http.origins", at<&s::http, &http::origins>, 0, any, check_origin},
  {"http.max_connections", at<&s::http, &http::max_connections>, 1, 1e6},
  {"http.header_timeout_s", at<&s::http, &http::header_timeout_s>, 1, 3600},
  {"http.body_timeout_s", at<&s::http, &http::body_timeout_s>, 1, 3600},
  {"http.idle_timeout_s", at<&s::http, &http::idle_timeout_s>, 1, 86400},
  {"http.write_timeout_s", at<&s::http, &http::write_timeout_s>, 1, 3600},
  {"http.request_timeout_s", at<&s::http, &http::request_timeout_s>, 1, 3600},

  {"store.url", at<&s::store, &store::url>, 0, any, check_store},
  {"store.lease_s", at<&s::store, &store::lease_s>, 1, 3600},
  {"store.ageing_s", at<&s::store, &store::ageing_s>, 0, 86400},
  {"store.timeout_s", at<&s::store, &store::timeout_s>, 0.01, 60},
  {"store.retention_days", at<&s::store, &store::retention_days>, 0, 36500},
  {"store.retention_count", at<&s::store, &store::retention_count>, 0, 1e9},
  {"store.max_queued", at<&s::store, &store::max_queued>, 1, 1e12},

  {"spool.max_bytes", at<&s::spool, &spool_settings::max_bytes>, 0, 1e12},

  {"data.dir", at<&s::data, &data_settings::dir>},

  {"library.dir", at<&s::library, &library_settings::dir>},
  {"library.media_roots", at<&s::library, &library_settings::media_roots>, 0,
   any, check_not_empty},

  {"pools.download", at<&s::pools, &pool::download>, 0, 1000},
  {"pools.video", at<&s::pools, &pool::video>, 0, 1000},
  {"pools.image", at<&s::pools, &pool::image>, 0, 1000},
  {"pools.bulk", at<&s::pools, &pool::bulk>, 0, 10000},
  {"pools.download_min", at<&s::pools, &pool::download_min>, 0, 1000},
  {"pools.video_min", at<&s::pools, &pool::video_min>, 0, 1000},
  {"pools.image_min", at<&s::pools, &pool::image_min>, 0, 1000},
  {"pools.bulk_min", at<&s::pools, &pool::bulk_min>, 0, 10000},
  {"pools.grow_after_s", at<&s::pools, &pool::grow_after_s>, 0, 3600},
  {"pools.shrink_after_s", at<&s::pools, &pool::shrink_after_s>, 0, 86400},
  {"pools.max_cpu", at<&s::pools, &pool::max_cpu>, 0.05, 1},
  {"pools.min_memory", at<&s::pools, &pool::min_memory>, 0, 1},
  {"pools.min_disk", at<&s::pools, &pool::min_disk>, 0, 1},
  {"pools.max_age_s", at<&s::pools, &pool::max_age_s>, 0, 1e7},
  {"pools.max_depth", at<&s::pools, &pool::max_depth>, 0, 1e12},
  {"pools.drain_s", at<&s::pools, &pool::drain_s>, 0, 3600},
  {"pools.stall_s", at<&s::pools, &pool::stall_s>, 0, 86400},
  {"pools.download_stall_s", at<&s::pools, &pool::download_stall_s>, 0, 86400},

  {"node.sample_s", at<&s::node, &node::sample_s>, 0.1, 60},
  {"node.cpus", at<&s::node, &node::cpus>, 0, 4096},
  {"node.memory_mb", at<&s::node, &node::memory_mb>, 0, 1e9},
  {"node.bandwidth_mbit", at<&s::node, &node::bandwidth_mbit>, 0, 1e9},

  {"alerts.disk_low", at<&s::alerts, &alert::disk_low>, 0, any,
   check_threshold},
  {"alerts.memory_low", at<&s::alerts, &alert::memory_low>, 0, any,
   check_threshold},
  {"alerts.queue_age", at<&s::alerts, &alert::queue_age>, 0, any,
   check_threshold},
  {"alerts.error_rate", at<&s::alerts, &alert::error_rate>, 0, any,
   check_threshold},
  {"alerts.store_away", at<&s::alerts, &alert::store_away>, 0, any,
   check_threshold},

  {"sources.allow_private", at<&s::sources, &source_settings::allow_private>},
  {"sources.allow", at<&s::sources, &source_settings::allow>, 0, any,
   check_block},

  {"tools.yt_dlp", at<&s::tools, &tool::yt_dlp>, 0, any, check_not_empty},
  {"tools.python", at<&s::tools, &tool::python>, 0, any, check_not_empty},
  {"tools.ffmpeg", at<&s::tools, &tool::ffmpeg>, 0, any, check_not_empty},
  {"tools.cookies_dir", at<&s::tools, &tool::cookies_dir>},
  {"tools.extract_timeout_s", at<&s::tools, &tool::extract_timeout_s>, 1, 3600},
  {"tools.max_extracts", at<&s::tools, &tool::max_extracts>, 1, 100},
  {"tools.memory_mb", at<&s::tools, &tool::memory_mb>, 128, 1e6},
  {"tools.nice", at<&s::tools, &tool::nice>, 0, 19},

  {"sandbox.required", at<&s::sandbox, &sandbox::required>},
  {"sandbox.memory_mb", at<&s::sandbox, &sandbox::memory_mb>, 64, 1e6},
  {"sandbox.poison_s", at<&s::sandbox, &sandbox::poison_s>, 0, 1e7},
  {"sandbox.fonts", at<&s::sandbox, &sandbox::fonts>},
  {"sandbox.render_node", at<&s::sandbox, &sandbox::render_node>},

  {"events.progress_per_s", at<&s::events, &event::progress_per_s>, 0.1, 1000},
  {"events.job_log", at<&s::events, &event::job_log>, 1, 1e6},
  {"events.topic_log", at<&s::events, &event::topic_log>, 1, 1e7},
  {"events.log_bytes", at<&s::events, &event::log_bytes>, 1 << 16, 1e12},
  {"events.log_linger_s", at<&s::events, &event::log_linger_s>, 0, 86400},
  {"events.client_bytes", at<&s::events, &event::client_bytes>, 1 << 16, 1e10},

  {"edge.max_in_flight", at<&s::edge, &edge_settings::max_in_flight>, 1, 1e6},

  {"callbacks.secret", at<&s::callbacks, &callback::secret>},
  {"callbacks.timeout_s", at<&s::callbacks, &callback::timeout_s>, 0.1, 300},
  {"callbacks.max_attempts", at<&s::callbacks, &callback::max_attempts>, 1,
   1000},

  {"images.path_prefix", at<&s::images, &image::path_prefix>, 0, any,
   check_path_prefix},
  {"images.keys", at<&s::images, &image::keys>, 0, any, check_hex},
  {"images.salts", at<&s::images, &image::salts>, 0, any, check_hex},
  {"images.signature_size", at<&s::images, &image::signature_size>, 8, 32},
  {"images.allow_unsigned", at<&s::images, &image::allow_unsigned>},
  {"images.presets", at<&s::images, &image::presets>, 0, any, check_preset},
  {"images.presets_only", at<&s::images, &image::presets_only>},
  {"images.watermark", at<&s::images, &image::watermark>},
  {"images.watermark_text", at<&s::images, &image::watermark_text>},
  {"images.avif", at<&s::images, &image::avif>},
  {"images.webp", at<&s::images, &image::webp>},
  {"images.stand_in_pixels", at<&s::images, &image::stand_in_pixels>, 0, 1e12},
  {"images.derive_lossy", at<&s::images, &image::derive_lossy>},
  {"images.client_hints", at<&s::images, &image::client_hints>},
  {"images.hint_widths", at<&s::images, &image::hint_widths>, 1, 65535},
  {"images.readable", at<&s::images, &image::readable>, 0, any, check_readable},
  {"images.lenient", at<&s::images, &image::lenient>},
  {"images.max_bytes", at<&s::images, &image::max_bytes>, 1, 1e10},
  {"images.max_pixels", at<&s::images, &image::max_pixels>, 1, 1e10},
  {"images.max_frames", at<&s::images, &image::max_frames>, 1, 1e6},
  {"images.memory_bytes", at<&s::images, &image::memory_bytes>, 0, 1e12},
  {"images.disk_bytes", at<&s::images, &image::disk_bytes>, 0, 1e15},
  {"images.cache_dir", at<&s::images, &image::cache_dir>},
  {"images.max_age_s", at<&s::images, &image::max_age_s>, 0, 1e9},
  {"images.revalidate_s", at<&s::images, &image::revalidate_s>, 0, 1e9},
  {"images.stale_s", at<&s::images, &image::stale_s>, 0, 1e9},
  {"images.negative_s", at<&s::images, &image::negative_s>, 0, 1e6},
  {"images.timeout_s", at<&s::images, &image::timeout_s>, 0.1, 300},
  {"images.workers", at<&s::images, &image::workers>, 0, 1000},
  {"images.batch_workers", at<&s::images, &image::batch_workers>, 0, 1000},
  {"images.max_waiting", at<&s::images, &image::max_waiting>, 1, 1e6},
  {"images.upload_bytes", at<&s::images, &image::upload_bytes>, 1, 1e12},
  {"images.client_upload_bytes", at<&s::images, &image::client_upload_bytes>, 1,
   1e12},
  {"images.upload_free_bytes", at<&s::images, &image::upload_free_bytes>, 0,
   1e15},
  {"images.upload_dir", at<&s::images, &image::upload_dir>},

  {"streams.keys", at<&s::streams, &stream::keys>, 0, any, check_stream_key},
  {"streams.memory_bytes", at<&s::streams, &stream::memory_bytes>, 0, 1e12},
  {"streams.disk_bytes", at<&s::streams, &stream::disk_bytes>, 0, 1e15},
  {"streams.cache_dir", at<&s::streams, &stream::cache_dir>},
  {"streams.max_sessions", at<&s::streams, &stream::max_sessions>, 0, 1e6},
  {"streams.max_per_owner", at<&s::streams, &stream::max_per_owner>, 0, 1e6},
  {"streams.idle_timeout_s", at<&s::streams, &stream::idle_timeout_s>, 1, 1e9},
  {"streams.max_age_s", at<&s::streams, &stream::max_age_s>, 1, 1e9},
  {"streams.start_timeout_s", at<&s::streams, &stream::start_timeout_s>, 1,
   300},
  {"streams.segment_timeout_s", at<&s::streams, &stream::segment_timeout_s>,
   0.1, 300},
  {"streams.stall_s", at<&s::streams, &stream::stall_s>, 0.1, 300},
  {"streams.ahead_s", at<&s::streams, &stream::ahead_s>, 0, 3600},
  {"streams.run_idle_s", at<&s::streams, &stream::run_idle_s>, 0.1, 3600},
  {"streams.encoders", at<&s::streams, &stream::encoders>, 0, 1000},
  {"streams.max_waiting", at<&s::streams, &stream::max_waiting>, 1, 1e6},
  {"streams.least_speed", at<&s::streams, &stream::least_speed>, 0, 100},
  {"streams.bandwidth_mbit", at<&s::streams, &stream::bandwidth_mbit>, 0, 1e9},
  {"streams.owner_mbit", at<&s::streams, &stream::owner_mbit>, 0, 1e9},

  {"bandwidth.total_mbit", at<&s::bandwidth, &bandwidth::total_mbit>, 0, 1e9},
  {"bandwidth.owner_mbit", at<&s::bandwidth, &bandwidth::owner_mbit>, 0, 1e9},
  {"bandwidth.session_mbit", at<&s::bandwidth, &bandwidth::session_mbit>, 0,
   1e9},
  {"bandwidth.images_mbit", at<&s::bandwidth, &bandwidth::images_mbit>, 0, 1e9},
  {"bandwidth.hours", at<&s::bandwidth, &bandwidth::hours>, 0, any,
   check_hours},
};

} // namespace

std::span<const key> keys() noexcept {
  return table;
}

const key* find_key(std::string_view name) noexcept {
  const auto* found = std::find_if(
    std::begin(table), std::end(table),
    [name](const key& candidate) { return candidate.name == name; });
  return found == std::end(table) ? nullptr : found;
}

} // namespace troupe::config
