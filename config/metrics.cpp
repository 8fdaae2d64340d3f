#include "config/metrics_impl.hpp"
#include "config/process_figures.hpp"

#include <prometheus/text_serializer.h>

namespace troupe::config {

namespace {

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

void metrics::spool(std::uint64_t waiting, std::uint64_t kept,
                    std::uint64_t bytes) {
  impl_->spool_operations.Set(static_cast<double>(waiting));
  impl_->spool_kept.Set(static_cast<double>(kept));
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

void metrics::loop_lag(std::string_view loop, double seconds) {
  impl_->loop_lags.at({loop}).Observe(seconds);
  auto& longest = impl_->loop_longest.at({loop});
  if (seconds > longest.Value())
    longest.Set(seconds);
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

std::string metrics::text() {
  auto families = impl_->all.Collect();
  append_process(families);
  return prom::TextSerializer{}.Serialize(families);
}

} // namespace troupe::config
