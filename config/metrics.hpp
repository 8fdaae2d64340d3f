#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::config {

/// Everything that `/metrics` shows, by what happened rather than by name.
/// Thread-safe; one per process. Prometheus text format 0.0.4.
class metrics {
public:
  metrics();
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  void job_submitted(std::string_view type);
  /// An attempt began `waited_s` after the job was ready.
  void attempt_started(std::string_view type, double waited_s);
  /// `outcome`: succeeded, failed, cancelled, retrying, released, lost.
  void attempt_ended(std::string_view type, std::string_view outcome,
                     double ran_s);
  /// A job has ended, so long after it was submitted. `outcome`: succeeded,
  /// failed, cancelled.
  void job_ended(std::string_view type, std::string_view outcome,
                 double seconds);
  /// One group commit of `operations` took so long.
  void store_commit(std::size_t operations, double seconds);
  void store_error(std::string_view code);
  /// A look at all of the store's invariants has ended at this Unix time.
  void audit_done(std::size_t findings, double unix_s);
  /// Whether the store answers.
  void store_up(bool up);
  /// What waits for a store that is away, what it was told and may yet lose,
  /// and the bytes of both.
  void spool(std::uint64_t waiting, std::uint64_t kept, std::uint64_t bytes);
  /// An attempt gave no sign of life for too long.
  void attempt_stalled();

  /// Set at each scrape.
  void queue_depth(std::string_view queue, std::string_view state,
                   std::uint64_t jobs);
  /// `state`: queued, running (at this server); 0 seconds: none is.
  void queue_oldest_age(std::string_view queue, std::string_view state,
                        double seconds);

  /// `route` is the pattern, such as `/v1/jobs/{id}`.
  void http_request(std::string_view route, std::string_view method, int status,
                    double seconds);
  void connections(std::int64_t change);
  /// `kind`: websocket, sse.
  void event_clients(std::string_view kind, std::int64_t change);
  /// A stored change reached a client's socket so long after it was made.
  void event_latency(double seconds);
  void client_dropped(std::string_view why);
  void event_log(std::uint64_t topics, std::uint64_t bytes);
  /// So much later than it was due ran a timer of an event loop, since others
  /// held it. `loop`: edge, media.
  void loop_lag(std::string_view loop, double seconds);

  /// Bytes that the egress proxy carried for downloads.
  void egress_bytes(std::uint64_t bytes);
  void egress_refused(std::string_view why);

  /// `resource`: cpu (cores), memory, disk_data, disk_library (bytes),
  /// descriptors, sockets. Of the whole machine, but for descriptors; a total
  /// of 0 is none.
  void node_resource(std::string_view resource, double used, double total);
  /// `figure`: load1, cpu, memory, io (share of ten seconds that some task
  /// stood still for it).
  void node_pressure(std::string_view figure, double value);
  /// `waiting`: leases that wait for what they need; `held`: claims nothing.
  void pool(std::string_view pool, std::uint32_t slots, std::uint32_t busy,
            std::uint32_t waiting, bool held);
  /// Its slots changed, or whether it claims.
  void pool_decided(std::string_view pool, std::string_view reason);
  /// What a job of the type is taken to need. `resource`: cpu (cores), memory,
  /// disk (bytes), bandwidth (bytes a second).
  void job_cost(std::string_view type, std::string_view resource, double value);
  void alert(std::string_view kind, std::string_view subject, bool raised);
  /// Submits refused since their queue was too long or too old.
  void submits_refused(std::string_view queue, std::uint64_t jobs);

  /// A request for an image was answered. `how`: hit, stale, miss, coalesced,
  /// failed.
  void image_answered(std::string_view how, double seconds);
  /// One task of the crew made images of this format. `urgency`: page, batch.
  void image_made(std::string_view urgency, std::string_view format,
                  double waited_s, double ran_s, std::uint64_t bytes);
  /// A task of the crew failed. `code`: that of media.
  void image_failed(std::string_view code);
  void image_refused();
  /// Processor time that hits made needless, since the last call.
  void image_saved(double seconds);
  /// Set at each scrape. `tier`: memory, disk. `dropped`: never written, since
  /// the disk was too slow.
  void image_cache(std::string_view tier, std::uint64_t entries,
                   std::uint64_t bytes, std::uint64_t evicted,
                   std::uint64_t broken, std::uint64_t dropped);
  /// `urgency`: page, batch.
  void image_crew(std::string_view urgency, std::uint64_t waiting,
                  std::uint64_t busy, std::uint64_t children);

  /// A segment was asked for. `kind`: copy, video, audio, text. `how`: hit,
  /// made, late, failed.
  void segment_answered(std::string_view kind, std::string_view how,
                        double seconds);
  /// A child made one of so many seconds of media.
  void segment_made(std::string_view kind, double ran_s, double media_s,
                    std::uint64_t bytes);
  /// A child at work on one failed or was replaced. `code`: that of media.
  void segment_failed(std::string_view code);
  /// Sessions by state, encoder runs by what they do (working, waiting,
  /// paused), readers of sources.
  void streams(std::string_view what, std::uint64_t count);
  /// A stream was asked for. `how`: opened, recovered, or why not.
  void stream_asked(std::string_view how, double seconds);
  /// `tier`: memory, disk. Set at each scrape.
  void segment_cache(std::string_view tier, std::uint64_t entries,
                     std::uint64_t bytes, std::uint64_t evicted,
                     std::uint64_t broken, std::uint64_t dropped);

  /// Bytes of bodies that went to clients. `kind`: segment, playlist, direct,
  /// progressive, file, image.
  void sent_bytes(std::string_view kind, std::uint64_t bytes);
  /// A body of that kind was held back so long by limits of bandwidth.
  void throttled(std::string_view kind, double seconds);

  /// The text for `/metrics`, process figures included (resident memory, CPU
  /// seconds, open descriptors, threads, start time).
  [[nodiscard]] std::string text();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::config
