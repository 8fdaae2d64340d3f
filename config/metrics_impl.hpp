#pragma once

#include "config/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <initializer_list>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

/// What `metrics` consists of; for its own sources.
namespace troupe::config {

namespace prom = prometheus;
using bounds = prom::Histogram::BucketBoundaries;

inline const bounds request_s = {.0005, .001, .0025, .005, .01, .025, .05,
                                 .1,    .25,  .5,    1,    2.5, 10};
inline const bounds lag_s = {.00025, .0005, .001, .0025, .005, .01,
                             .025,   .05,   .1,   .25,   1};
inline const bounds job_s = {.01, .05, .1, .5, 1, 5, 15, 60, 300, 1800, 7200};
inline const bounds commit_s = {.0002, .0005, .001, .002, .005,
                                .01,   .05,   .25,  1};
inline const bounds group = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000};

/// The series of one metric by the values of its labels. Prometheus' own
/// lookup makes a map and hashes it each time; this one costs a hash of a few
/// short texts. Series live as long as the registry.
template <class Metric>
class series {
public:
  series(prom::Family<Metric>& family, std::vector<std::string> labels,
         bounds buckets = {})
    : family_(family), labels_(std::move(labels)),
      buckets_(std::move(buckets)) {}

  Metric& at(std::initializer_list<std::string_view> values) {
    // One buffer per thread, so that a lookup allocates nothing.
    thread_local std::string name;
    name.clear();
    for (auto value : values)
      name.append(value).push_back('\0');
    {
      std::shared_lock reading{mutex_};
      if (auto found = known_.find(name); found != known_.end())
        return *found->second;
    }
    std::unique_lock writing{mutex_};
    auto& slot = known_[name];
    if (!slot)
      slot = &add(values);
    return *slot;
  }

private:
  Metric& add(std::initializer_list<std::string_view> values) {
    prom::Labels named;
    auto label = labels_.begin();
    for (auto value : values)
      named.emplace(*label++, value);
    if constexpr (std::is_same_v<Metric, prom::Histogram>)
      return family_.Add(named, buckets_);
    else
      return family_.Add(named);
  }

  prom::Family<Metric>& family_;
  std::vector<std::string> labels_;
  bounds buckets_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Metric*> known_;
};

struct metrics::impl {
  prom::Registry all;

  prom::Family<prom::Counter>& counter(const char* name, const char* help) {
    return prom::BuildCounter().Name(name).Help(help).Register(all);
  }
  prom::Family<prom::Gauge>& gauge(const char* name, const char* help) {
    return prom::BuildGauge().Name(name).Help(help).Register(all);
  }
  prom::Family<prom::Histogram>& histogram(const char* name, const char* help) {
    return prom::BuildHistogram().Name(name).Help(help).Register(all);
  }

  series<prom::Counter> submitted{
    counter("troupe_jobs_submitted_total", "Jobs stored."), {"type"}};
  series<prom::Histogram> waited{
    histogram("troupe_job_wait_seconds", "From ready to the attempt's start."),
    {"type"},
    job_s};
  series<prom::Histogram> ran{
    histogram("troupe_attempt_seconds", "Running time of attempts."),
    {"type", "outcome"},
    job_s};
  series<prom::Histogram> ended{
    histogram("troupe_job_seconds", "From a job's submit to its end."),
    {"type", "outcome"},
    job_s};
  prom::Histogram& commit_time =
    histogram("troupe_store_commit_seconds", "One group commit.")
      .Add({}, commit_s);
  prom::Histogram& commit_size =
    histogram("troupe_store_commit_operations", "Operations in one commit.")
      .Add({}, group);
  series<prom::Counter> store_errors{
    counter("troupe_store_errors_total", "Calls of the store that failed."),
    {"code"}};
  prom::Gauge& store_answers =
    gauge("troupe_store_up", "1 if the store answers.").Add({});
  prom::Gauge& spool_operations =
    gauge("troupe_spool_operations", "Operations that wait for the store.")
      .Add({});
  prom::Gauge& spool_kept =
    gauge("troupe_spool_kept_operations",
          "Operations that the store has and may lose yet.")
      .Add({});
  prom::Gauge& spool_bytes =
    gauge("troupe_spool_bytes", "Bytes of what waits or is kept.").Add({});
  prom::Counter& stalled =
    counter("troupe_attempts_stalled_total",
            "Attempts ended since they gave no sign of life.")
      .Add({});
  prom::Gauge& audit_findings =
    gauge("troupe_audit_findings",
          "Invariants of the store that the newest whole audit saw broken.")
      .Add({});
  prom::Gauge& audit_last =
    gauge("troupe_audit_last_seconds",
          "End of the newest whole audit, seconds since the Unix epoch.")
      .Add({});
  series<prom::Gauge> depth{gauge("troupe_queue_jobs", "Jobs by state."),
                            {"queue", "state"}};
  series<prom::Gauge> oldest{
    gauge("troupe_queue_oldest_age_seconds",
          "How long the oldest job is queued, or runs at this server."),
    {"queue", "state"}};
  series<prom::Histogram> requests{
    histogram("troupe_http_request_seconds", "From header to answer."),
    {"route", "method", "status"},
    request_s};
  prom::Gauge& connected =
    gauge("troupe_http_connections", "Open connections.").Add({});
  series<prom::Gauge> clients{
    gauge("troupe_event_clients", "Subscribers, by kind of connection."),
    {"kind"}};
  prom::Histogram& latency =
    histogram("troupe_event_latency_seconds",
              "From a stored change to the client's socket.")
      .Add({}, request_s);
  series<prom::Counter> dropped{
    counter("troupe_clients_dropped_total", "Clients closed by the server."),
    {"why"}};
  prom::Gauge& topics =
    gauge("troupe_event_topics", "Topics with a log.").Add({});
  prom::Gauge& log_bytes =
    gauge("troupe_event_log_bytes", "Bytes of all event logs.").Add({});
  series<prom::Histogram> loop_lags{
    histogram("troupe_event_loop_lag_seconds",
              "How much later than due an event loop runs its timers."),
    {"loop"},
    lag_s};
  series<prom::Gauge> loop_longest{
    gauge("troupe_event_loop_longest_lag_seconds",
          "The longest of these since the start."),
    {"loop"}};
  prom::Counter& egress =
    counter("troupe_egress_bytes_total", "Bytes fetched for downloads.")
      .Add({});
  series<prom::Counter> refused{
    counter("troupe_egress_refused_total", "Connections refused to downloads."),
    {"why"}};
  series<prom::Gauge> node_used{
    gauge("troupe_node_used", "What is in use of this machine."), {"resource"}};
  series<prom::Gauge> node_total{
    gauge("troupe_node_total", "What this machine has."), {"resource"}};
  series<prom::Gauge> pressure{
    gauge("troupe_node_pressure", "Load, and shares of time stood still."),
    {"figure"}};
  series<prom::Gauge> pool_slots{
    gauge("troupe_pool_slots", "Jobs that a pool may run at once."), {"pool"}};
  series<prom::Gauge> pool_busy{
    gauge("troupe_pool_busy", "Jobs that a pool runs."), {"pool"}};
  series<prom::Gauge> pool_waiting{
    gauge("troupe_pool_waiting", "Leases that wait for what they need."),
    {"pool"}};
  series<prom::Gauge> pool_held{
    gauge("troupe_pool_held", "1 while a pool claims nothing."), {"pool"}};
  series<prom::Counter> decisions{
    counter("troupe_pool_decisions_total", "Changes of a pool's slots."),
    {"pool", "reason"}};
  series<prom::Gauge> costs{
    gauge("troupe_job_cost", "What a job of a type is taken to need."),
    {"type", "resource"}};
  series<prom::Gauge> alerts{
    gauge("troupe_alert_raised", "1 while an alert is raised."),
    {"alert", "subject"}};
  series<prom::Counter> refused_submits{
    counter("troupe_submits_refused_total",
            "Jobs refused since their queue is too long or too old."),
    {"queue"}};
  series<prom::Histogram> images_answered{
    histogram("troupe_image_request_seconds", "Answers with images."),
    {"how"},
    request_s};
  series<prom::Histogram> images_made{
    histogram("troupe_image_make_seconds", "Making images, in a child."),
    {"urgency", "format"},
    request_s};
  series<prom::Histogram> images_waited{
    histogram("troupe_image_wait_seconds", "Images waiting for a child."),
    {"urgency"},
    request_s};
  series<prom::Counter> image_bytes{
    counter("troupe_image_bytes_total", "Bytes of images made."), {"format"}};
  series<prom::Counter> images_failed{
    counter("troupe_images_failed_total", "Image tasks that failed."),
    {"code"}};
  prom::Counter& images_refused = counter("troupe_images_refused_total",
                                          "Images refused since too many wait.")
                                    .Add({});
  prom::Counter& images_saved =
    counter("troupe_image_saved_seconds_total",
            "Making that hits in the cache made needless.")
      .Add({});
  series<prom::Gauge> cache_entries{
    gauge("troupe_image_cache_entries", "Images kept."), {"tier"}};
  series<prom::Gauge> cache_bytes{
    gauge("troupe_image_cache_bytes", "Bytes of images kept."), {"tier"}};
  series<prom::Gauge> cache_evicted{
    gauge("troupe_image_cache_evicted",
          "Images that had to go since the start."),
    {"tier"}};
  series<prom::Gauge> cache_broken{
    gauge("troupe_image_cache_broken",
          "Files found damaged since the start, and dropped."),
    {"tier"}};
  series<prom::Gauge> cache_dropped{
    gauge("troupe_image_cache_dropped",
          "Images not written since the start, as the disk was too slow."),
    {"tier"}};
  series<prom::Gauge> crew_waiting{
    gauge("troupe_image_crew_waiting", "Tasks that wait for a child."),
    {"urgency"}};
  series<prom::Gauge> crew_busy{
    gauge("troupe_image_crew_busy", "Children at work on images."),
    {"urgency"}};
  series<prom::Gauge> crew_children{
    gauge("troupe_image_crew_children", "Places for children."), {"urgency"}};
  series<prom::Histogram> segments_answered{
    histogram("troupe_stream_segment_seconds", "Answers with segments."),
    {"kind", "how"},
    request_s};
  series<prom::Histogram> segments_made{
    histogram("troupe_stream_make_seconds", "Making segments, in a child."),
    {"kind"},
    request_s};
  series<prom::Counter> segment_media{
    counter("troupe_stream_made_media_seconds_total",
            "Playing time of segments made."),
    {"kind"}};
  series<prom::Counter> segment_bytes{
    counter("troupe_stream_made_bytes_total", "Bytes of segments made."),
    {"kind"}};
  series<prom::Counter> segments_failed{
    counter("troupe_stream_segments_failed_total",
            "Segments that a child failed to make."),
    {"code"}};
  series<prom::Gauge> stream_parts{
    gauge("troupe_streams", "Sessions, encoder runs and readers of streams."),
    {"what"}};
  series<prom::Histogram> streams_asked{
    histogram("troupe_stream_open_seconds", "Opening streams."),
    {"how"},
    request_s};
  series<prom::Gauge> segments_kept{
    gauge("troupe_stream_cache_entries", "Segments kept."), {"tier"}};
  series<prom::Gauge> segments_kept_bytes{
    gauge("troupe_stream_cache_bytes", "Bytes of segments kept."), {"tier"}};
  series<prom::Gauge> segments_evicted{
    gauge("troupe_stream_cache_evicted",
          "Segments that had to go since the start."),
    {"tier"}};
  series<prom::Gauge> segments_broken{
    gauge("troupe_stream_cache_broken",
          "Files found damaged since the start, and dropped."),
    {"tier"}};
  series<prom::Gauge> segments_dropped{
    gauge("troupe_stream_cache_dropped",
          "Segments not written since the start, as the disk was too slow."),
    {"tier"}};
  series<prom::Counter> sent{
    counter("troupe_sent_bytes_total",
            "Bytes of streams, files and images sent."),
    {"kind"}};
  series<prom::Counter> throttled{
    counter("troupe_throttled_seconds_total",
            "Time that bodies were held back by limits of bandwidth."),
    {"kind"}};
};

} // namespace troupe::config
