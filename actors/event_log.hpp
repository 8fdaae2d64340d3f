#pragma once

#include "actors/events.hpp"
#include "actors/topic.hpp"
#include "config/settings.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

/// One instant by both clocks: what is due is measured by `steady`, what is
/// told to people by `wall`.
struct moment {
  std::chrono::steady_clock::time_point steady;
  timestamp_ms wall = 0;
};

/// Numbers the events of jobs per topic and keeps a bounded log of each. Plain
/// data and no thread of its own: the hub calls it, tests call it.
///
/// A job's event stands in the topics `job:{id}`, `jobs`, `queue:{name}`,
/// `batch:{id}` and, if it ends the job, `owner:{name}`. All of them share one
/// body, which is packed until somebody listens to it, then JSON.
///
/// Invariants:
/// - a topic's events have the offsets `base + 1 … base + events.size()`;
/// - a body is in `bodies_`, in the order of arrival, exactly as long as some
///   topic holds it, so the oldest body is first in each topic that holds it;
/// - `counter_` is at least as large as every offset ever given out, and every
///   topic begins above it, so no offset of a topic's earlier life fits;
/// - a topic without events and listeners is in `ended_`, so that a client
///   that comes back soon has missed nothing.
class event_log {
public:
  using clock = std::chrono::steady_clock;

  /// @param epoch tells this log from all others
  event_log(const config::event_settings& limits, std::string epoch);
  ~event_log();
  event_log(const event_log&) = delete;
  event_log& operator=(const event_log&) = delete;

  /// Adds a stored change, after the job's progress that was held back.
  void add(const job_event& event, moment now);

  /// Adds what happened to a batch or a queue to its own topic.
  void add(subject_event event, moment now);

  /// Adds progress at once, or holds it back until `progress_per_s` allows;
  /// only the newest is kept. Progress of a claim that is over is dropped.
  void report(progress_report report, moment now);

  /// Adds progress that is due; forgets topics that ended long enough ago.
  void tick(moment now);

  /// When `tick` has progress to add, or a topic to forget.
  [[nodiscard]] std::optional<clock::time_point> progress_due() const;
  [[nodiscard]] std::optional<clock::time_point> end_due() const;

  /// Counts a listener of the topic and says where it starts. What it missed
  /// is not given if it would not fit into half of `client_bytes`: then, as
  /// when the log does not reach back, nothing is recovered.
  [[nodiscard]] topic_start listen(const topic_request& wish);
  /// @pre one `listen` to this topic has not been taken back
  void unlisten(const std::string& name, moment now);

  /// What was added since the last call to topics that somebody listens to.
  [[nodiscard]] std::vector<topic_events> take_fresh();

  /// How many copies of what it returns there will be: one per listener.
  [[nodiscard]] std::size_t fresh_audience() const;

  /// Topics and bytes in use; the clients are not its business.
  [[nodiscard]] hub_figures figures() const;

private:
  struct body;
  struct topic;
  using body_list = std::list<body>;

  /// Not `noexcept`, so that the map keeps each hash beside its name.
  struct name_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };
  template <class T>
  using by_name =
    std::unordered_map<std::string, T, name_hash, std::equal_to<>>;

  /// Progress of one job within the last interval.
  struct flow {
    std::string queue;
    std::optional<media::progress> waiting;
  };
  struct due_flow {
    clock::time_point at;
    std::string id;
  };
  struct fresh_topic {
    topic* of;
    std::vector<frame_ptr> frames;
  };

  topic& open(std::string_view name);
  topic& open(topic_kind kind, std::string_view subject);
  topic* find(std::string_view name);
  topic& job_topic(std::string_view id);
  void drop(topic& gone);
  void linger(topic& idle, moment now);
  void revive(topic& busy);
  void forget(topic& due);
  void pop(topic& from);
  void trim(topic& grown);
  void evict();

  static bool any_listens(const std::array<topic*, 5>& some);
  void append(body_list::iterator event, topic& to);
  void append_to(body_list::iterator event, const std::array<topic*, 5>& some);
  void emit_progress(const std::string& id, std::string_view queue,
                     const media::progress& now_at, moment now);
  void flush(const std::string& id, moment now);
  void settle(topic& of_job, const store::job& job, moment now);
  void charge(body& event);
  void encode(body& event);
  frame_ptr frame_of(topic& of, std::uint64_t offset, body& event);
  std::vector<frame_ptr> missed_since(topic& of, std::uint64_t offset);

  config::event_settings limits_;
  std::string epoch_;
  clock::duration interval_;
  std::uint64_t counter_ = 0;
  std::uint64_t bytes_ = 0;
  body_list bodies_;
  by_name<topic> topics_;
  std::list<topic*> ended_; ///< the one to be forgotten first in front
  by_name<flow> flows_;
  std::deque<due_flow> due_flows_;
  std::vector<fresh_topic> fresh_;
  std::string key_; ///< spares an allocation per lookup
};

} // namespace troupe::actors
