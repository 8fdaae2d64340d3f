#include "config/metrics_impl.hpp"

namespace troupe::config {

void metrics::image_answered(std::string_view how, double seconds) {
  impl_->images_answered.at({how}).Observe(seconds);
}

void metrics::image_made(std::string_view urgency, std::string_view format,
                         double waited_s, double ran_s, std::uint64_t bytes) {
  impl_->images_made.at({urgency, format}).Observe(ran_s);
  impl_->images_waited.at({urgency}).Observe(waited_s);
  impl_->image_bytes.at({format}).Increment(static_cast<double>(bytes));
}

void metrics::image_failed(std::string_view code) {
  impl_->images_failed.at({code}).Increment();
}

void metrics::image_refused() {
  impl_->images_refused.Increment();
}

void metrics::image_saved(double seconds) {
  impl_->images_saved.Increment(seconds);
}

void metrics::image_cache(std::string_view tier, std::uint64_t entries,
                          std::uint64_t bytes, std::uint64_t evicted,
                          std::uint64_t broken, std::uint64_t dropped) {
  impl_->cache_entries.at({tier}).Set(static_cast<double>(entries));
  impl_->cache_bytes.at({tier}).Set(static_cast<double>(bytes));
  impl_->cache_evicted.at({tier}).Set(static_cast<double>(evicted));
  impl_->cache_broken.at({tier}).Set(static_cast<double>(broken));
  impl_->cache_dropped.at({tier}).Set(static_cast<double>(dropped));
}

void metrics::image_crew(std::string_view urgency, std::uint64_t waiting,
                         std::uint64_t busy, std::uint64_t children) {
  impl_->crew_waiting.at({urgency}).Set(static_cast<double>(waiting));
  impl_->crew_busy.at({urgency}).Set(static_cast<double>(busy));
  impl_->crew_children.at({urgency}).Set(static_cast<double>(children));
}

void metrics::segment_answered(std::string_view kind, std::string_view how,
                               double seconds) {
  impl_->segments_answered.at({kind, how}).Observe(seconds);
}

void metrics::segment_made(std::string_view kind, double ran_s, double media_s,
                           std::uint64_t bytes) {
  impl_->segments_made.at({kind}).Observe(ran_s);
  impl_->segment_media.at({kind}).Increment(media_s);
  impl_->segment_bytes.at({kind}).Increment(static_cast<double>(bytes));
}

void metrics::segment_failed(std::string_view code) {
  impl_->segments_failed.at({code}).Increment();
}

void metrics::streams(std::string_view what, std::uint64_t count) {
  impl_->stream_parts.at({what}).Set(static_cast<double>(count));
}

void metrics::stream_asked(std::string_view how, double seconds) {
  impl_->streams_asked.at({how}).Observe(seconds);
}

void metrics::segment_cache(std::string_view tier, std::uint64_t entries,
                            std::uint64_t bytes, std::uint64_t evicted,
                            std::uint64_t broken, std::uint64_t dropped) {
  impl_->segments_kept.at({tier}).Set(static_cast<double>(entries));
  impl_->segments_kept_bytes.at({tier}).Set(static_cast<double>(bytes));
  impl_->segments_evicted.at({tier}).Set(static_cast<double>(evicted));
  impl_->segments_broken.at({tier}).Set(static_cast<double>(broken));
  impl_->segments_dropped.at({tier}).Set(static_cast<double>(dropped));
}

void metrics::sent_bytes(std::string_view kind, std::uint64_t bytes) {
  impl_->sent.at({kind}).Increment(static_cast<double>(bytes));
}

void metrics::throttled(std::string_view kind, double seconds) {
  impl_->throttled.at({kind}).Increment(seconds);
}

} // namespace troupe::config
