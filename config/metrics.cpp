#include "config/metrics.hpp"

#include "config/process_figures.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <initializer_list>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

namespace troupe::config {

namespace {

namespace prom = prometheus;
using bounds = prom::Histogram::BucketBoundaries;

const bounds request_s = {.0005, .001, .0025, .005, .01, .025, .05,
                          .1,    .25,  .5,    1,    2.5, 10};
const bounds job_s = {.01, .05, .1, .5, 1, 5, 15, 60, 300, 1800, 7200};
const bounds commit_s = {.0002, .0005, .001, .002, .005, .01, .05, .25, 1};
const bounds group = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000};

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

prom::MetricFamily figure(const char* name, const char* help,
                          prom::MetricType type, double value) {
  prom::ClientMetric metric;
  if (type == prom::MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  return {name, help, type, {metric}};
}

/// Under the names that Prometheus' client libraries share.
void append_process(std::vector<prom::MetricFamily>& to) {
  const auto now = read_process_figures();
  const auto gauge = [&to](const char* name, const char* help, double value) {
    to.push_back(figure(name, help, prom::MetricType::Gauge, value));
  };
  to.push_back(figure("process_cpu_seconds_total",
                      "User and system CPU time spent.",
                      prom::MetricType::Counter, now.cpu_s));
  gauge("process_resident_memory_bytes", "Resident memory.",
        static_cast<double>(now.resident_bytes));
  gauge("process_virtual_memory_bytes", "Virtual memory.",
        static_cast<double>(now.virtual_bytes));
  gauge("process_open_fds", "Open file descriptors.",
        static_cast<double>(now.open_files));
  gauge("process_max_fds", "Most file descriptors that may be open.",
        static_cast<double>(now.max_files));
  gauge("process_threads", "Threads.", static_cast<double>(now.threads));
  gauge("process_start_time_seconds", "Start, seconds since the Unix epoch.",
        now.started);
}

} // namespace

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
  prom::Gauge& spool_bytes =
    gauge("troupe_spool_bytes", "Bytes of what waits for the store.").Add({});
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
  series<prom::Gauge> crew_waiting{
    gauge("troupe_image_crew_waiting", "Tasks that wait for a child."),
    {"urgency"}};
  series<prom::Gauge> crew_busy{
    gauge("troupe_image_crew_busy", "Children at work on images."),
    {"urgency"}};
  series<prom::Gauge> crew_children{
    gauge("troupe_image_crew_children", "Places for children."), {"urgency"}};
};

metrics::metrics() : impl_(std::make_unique<impl>()) {}
metrics::~metrics() = default;

void metrics::job_submitted(std::string_view type) {
  impl_->submitted.at({type}).Increment();
}

void metrics::attempt_started(std::string_view type, double waited_s) {
  impl_->waited.at({type}).Observe(waited_s);
}

void metrics::attempt_ended(std::string_view type, std::string_view outcome,
                            double ran_s) {
  impl_->ran.at({type, outcome}).Observe(ran_s);
}

void metrics::job_ended(std::string_view type, std::string_view outcome,
                        double seconds) {
  impl_->ended.at({type, outcome}).Observe(seconds);
}

void metrics::store_commit(std::size_t operations, double seconds) {
  impl_->commit_time.Observe(seconds);
  impl_->commit_size.Observe(static_cast<double>(operations));
}

void metrics::audit_done(std::size_t findings, double unix_s) {
  impl_->audit_findings.Set(static_cast<double>(findings));
  impl_->audit_last.Set(unix_s);
}

void metrics::store_error(std::string_view code) {
  impl_->store_errors.at({code}).Increment();
}

void metrics::store_up(bool up) {
  impl_->store_answers.Set(up ? 1 : 0);
}

void metrics::spool(std::uint64_t operations, std::uint64_t bytes) {
  impl_->spool_operations.Set(static_cast<double>(operations));
  impl_->spool_bytes.Set(static_cast<double>(bytes));
}

void metrics::attempt_stalled() {
  impl_->stalled.Increment();
}

void metrics::queue_depth(std::string_view queue, std::string_view state,
                          std::uint64_t jobs) {
  impl_->depth.at({queue, state}).Set(static_cast<double>(jobs));
}

void metrics::queue_oldest_age(std::string_view queue, std::string_view state,
                               double seconds) {
  impl_->oldest.at({queue, state}).Set(seconds);
}

void metrics::http_request(std::string_view route, std::string_view method,
                           int status, double seconds) {
  const auto code = std::to_string(status);
  impl_->requests.at({route, method, code}).Observe(seconds);
}

void metrics::connections(std::int64_t change) {
  impl_->connected.Increment(static_cast<double>(change));
}

void metrics::event_clients(std::string_view kind, std::int64_t change) {
  impl_->clients.at({kind}).Increment(static_cast<double>(change));
}

void metrics::event_latency(double seconds) {
  impl_->latency.Observe(seconds);
}

void metrics::client_dropped(std::string_view why) {
  impl_->dropped.at({why}).Increment();
}

void metrics::event_log(std::uint64_t topics, std::uint64_t bytes) {
  impl_->topics.Set(static_cast<double>(topics));
  impl_->log_bytes.Set(static_cast<double>(bytes));
}

void metrics::egress_bytes(std::uint64_t bytes) {
  impl_->egress.Increment(static_cast<double>(bytes));
}

void metrics::egress_refused(std::string_view why) {
  impl_->refused.at({why}).Increment();
}

void metrics::node_resource(std::string_view resource, double used,
                            double total) {
  impl_->node_used.at({resource}).Set(used);
  if (total > 0)
    impl_->node_total.at({resource}).Set(total);
}

void metrics::node_pressure(std::string_view figure, double value) {
  impl_->pressure.at({figure}).Set(value);
}

void metrics::pool(std::string_view pool, std::uint32_t slots,
                   std::uint32_t busy, std::uint32_t waiting, bool held) {
  impl_->pool_slots.at({pool}).Set(slots);
  impl_->pool_busy.at({pool}).Set(busy);
  impl_->pool_waiting.at({pool}).Set(waiting);
  impl_->pool_held.at({pool}).Set(held ? 1 : 0);
}

void metrics::pool_decided(std::string_view pool, std::string_view reason) {
  impl_->decisions.at({pool, reason}).Increment();
}

void metrics::job_cost(std::string_view type, std::string_view resource,
                       double value) {
  impl_->costs.at({type, resource}).Set(value);
}

void metrics::alert(std::string_view kind, std::string_view subject,
                    bool raised) {
  impl_->alerts.at({kind, subject}).Set(raised ? 1 : 0);
}

void metrics::submits_refused(std::string_view queue, std::uint64_t jobs) {
  impl_->refused_submits.at({queue}).Increment(static_cast<double>(jobs));
}

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
                          std::uint64_t broken) {
  impl_->cache_entries.at({tier}).Set(static_cast<double>(entries));
  impl_->cache_bytes.at({tier}).Set(static_cast<double>(bytes));
  impl_->cache_evicted.at({tier}).Set(static_cast<double>(evicted));
  impl_->cache_broken.at({tier}).Set(static_cast<double>(broken));
}

void metrics::image_crew(std::string_view urgency, std::uint64_t waiting,
                         std::uint64_t busy, std::uint64_t children) {
  impl_->crew_waiting.at({urgency}).Set(static_cast<double>(waiting));
  impl_->crew_busy.at({urgency}).Set(static_cast<double>(busy));
  impl_->crew_children.at({urgency}).Set(static_cast<double>(children));
}

std::string metrics::text() {
  auto families = impl_->all.Collect();
  append_process(families);
  return prom::TextSerializer{}.Serialize(families);
}

} // namespace troupe::config
