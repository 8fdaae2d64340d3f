#include "actors/auditor.hpp"

#include "config/log.hpp"
#include "config/metrics.hpp"

#include <algorithm>

namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t rows_per_step = 200;
/// A shutdown waits for it; and nothing that is written meanwhile can be taken
/// from the write-ahead log.
constexpr std::int64_t file_ms = 5000;
constexpr auto shortest_rest = 20ms;
constexpr auto until_back = 10s; ///< rest when the store does not answer

double unix_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

} // namespace

auditor::auditor(auditor_options options)
  : options_(std::move(options)),
    thread_([this](const std::stop_token& stop) { run(stop); }) {
  // nop
}

auditor::~auditor() {
  thread_.request_stop();
  thread_.join();
}

void auditor::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    rest(stop, options_.every);
    while (!stop.stop_requested() && !look_once(stop))
      rest(stop, until_back);
  }
}

bool auditor::look_once(const std::stop_token& stop) {
  auto opened = options_.open();
  if (!opened)
    return false;
  store_ = std::move(*opened);
  const bool answered =
    (!options_.before || options_.before(*store_)) && look_at_all(stop);
  store_.reset();
  return answered;
}

bool auditor::look_at_all(const std::stop_token& stop) {
  std::size_t findings = 0;
  store::audit_request request;
  request.max = rows_per_step;
  request.file_ms = file_ms;
  do {
    const auto begun = clock::now();
    auto step = store_->audit(request);
    if (!step)
      return false;
    findings += step->findings.size();
    tell(*step);
    if (step->gave_up)
      log::info("the job store's file takes too long to be read through here",
                {{"instead", "troupe doctor"}});
    request.cursor = step->next_cursor;
    rest(stop, std::max<clock::duration>(
                 (clock::now() - begun) * (options_.parts - 1), shortest_rest));
  } while (!request.cursor.empty() && !stop.stop_requested());
  if (options_.metrics && !stop.stop_requested())
    options_.metrics->audit_done(findings, unix_now());
  return true;
}

void auditor::tell(const store::audit_result& step) const {
  for (const auto& it : step.findings)
    log::warn("the job store contradicts itself", {{"invariant", it.invariant},
                                                   {"subject", it.subject},
                                                   {"detail", it.detail}});
}

void auditor::rest(const std::stop_token& stop, clock::duration span) {
  std::unique_lock lock{mutex_};
  wakes_.wait_for(lock, stop, span, [] { return false; });
}

} // namespace troupe::actors
