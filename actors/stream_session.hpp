#pragma once

#include "actors/events.hpp"
#include "actors/store/stream_record.hpp"
#include "actors/stream_health.hpp"
#include "actors/stream_messages.hpp"
#include "config/settings.hpp"
#include "media/attempt.hpp"
#include "media/stream/plan.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <vector>

namespace troupe::config {
class metrics;
}

namespace troupe::media {
class stream_service;
}

namespace troupe::actors {

/// What sessions stand on; shared by all of them. Calls return at once.
struct session_parts {
  media::stream_service* streams = nullptr;
  config::metrics* metrics = nullptr; ///< null: nobody counts
  const config::stream_settings* settings = nullptr;
  registry_actor registry;
  /// Keeps, forgets a record. Null: nothing is kept.
  std::function<void(store::stream_record, reply_to<bool>)> put;
  std::function<void(std::string, reply_to<bool>)> drop;
  /// What a job has come to.
  std::function<void(const std::string&, media::result_heard)> result_of;
  std::function<void(event_batch)> tell; ///< null: nobody hears
  std::function<timestamp_ms()> wall;
  /// Bits a second that the session of that id may take from now on.
  std::function<void(const std::string&, std::uint64_t)> promise;
  /// The session of that id has ended and waits for its `stream_farewell`,
  /// telling why all who still ask. Null: it goes at once.
  std::function<void(const std::string&)> release;
};

struct session_options {
  session_parts parts;
  store::stream_record record;
  media::stream_wish wish;
  bool recovered = false;
  answer<stream_view> reply; ///< of who has asked for the stream
};

/// The source is open, or cannot be.
struct session_opened {
  result<media::source_ptr> source{media::source_ptr{}};
};

/// The index, or why there is none.
struct session_indexed {
  bool scanned = false; ///< of a look for the one by a scan
  result<media::cached_ptr> text{media::cached_ptr{}};
};

struct session_saved {
  bool saved = false;
};

/// A file under way.
struct session_flight {
  stream_file_ask ask;
  media::line_ptr line;
  std::uint32_t number = 0;
  std::chrono::steady_clock::time_point began;
  answer<stream_file_reply> reply;
};
using flight_ptr = std::shared_ptr<const session_flight>;

/// What the cache has of it.
struct session_found {
  flight_ptr flight;
  media::cached_ptr bytes; ///< null: nothing
};

/// What the registry says of it.
struct session_made {
  flight_ptr flight;
  result<made_segment> outcome{made_segment{}};
};

enum class session_timer : std::uint8_t { start, look };

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::session_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::session_indexed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::session_saved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::session_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::session_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::session_timer)

namespace troupe::actors {

using session_impl = session_actor::extend<
  caf::reacts_to<session_opened>, caf::reacts_to<session_indexed>,
  caf::reacts_to<session_saved>, caf::reacts_to<session_found>,
  caf::reacts_to<session_made>, caf::reacts_to<session_timer>>;

/// State of a SESSION.
///
///     starting ─┬─► active ◄─► idle ─► closed
///     recovering┴─► failed
///
/// Invariants: `plan_` is set from active on, `why_` exactly in closed and
/// failed, where it answers all that is asked; what is asked while it starts
/// waits in `early_`, at most `most_early`; it answers who opened it once its
/// record is kept and its plan is made, or it failed.
class session_state {
public:
  using self_ptr = session_impl::stateful_pointer<session_state>;
  using clock = std::chrono::steady_clock;

  static inline const char* name = "troupe.stream";

  explicit session_state(self_ptr self)
    : self_(self), health_(self->clock().now()) {}

  void start(session_options options);
  void opened(session_opened& opened);
  void indexed(session_indexed& indexed);
  void saved(const session_saved& saved);
  void tick(session_timer timer);

  void fetch(stream_fetch& fetch);
  void call(stream_call& call);
  void open_file(const stream_open_file& request);
  void plan_course(const stream_plan_course& request);
  void count(const stream_census& census);
  void found(const session_found& found);
  void made(session_made& made);

private:
  enum class phase : std::uint8_t {
    starting,
    recovering,
    active,
    idle,
    closed,
    failed
  };
  static constexpr std::size_t most_early = 256;

  // its beginning
  void open_source();
  void look_for_index(bool scanned);
  void make_index();
  void scan_later();
  void plan(const media::cached_ptr& text);
  void answer_opener();
  void fail_with(const failure& why);
  void leave(const failure& why);
  void refuse_early(const failure& why);
  void save();

  // files
  void serve(stream_fetch& fetch);
  [[nodiscard]] stream_party party() const;
  [[nodiscard]] result<flight_ptr> flight_of(stream_fetch& fetch);
  void want(const flight_ptr& flight);
  void give(const flight_ptr& flight, const media::cached_ptr& bytes,
            const made_segment& how);
  [[nodiscard]] segment_work work_of(const session_flight& flight) const;
  [[nodiscard]] std::uint32_t place_in(const media::stream_line& line) const;
  void follow(const session_flight& flight);

  // its life
  void touch();
  void change(const stream_change& what, const answer<stream_view>& reply);
  void close(std::string_view why);
  void promise();
  void tell(job_event_type type, const std::string& data);
  void tell_health();

  // what it looks like
  [[nodiscard]] stream_view view() const;
  [[nodiscard]] std::string json() const;
  [[nodiscard]] std::string_view phase_name() const noexcept;

  self_ptr self_;
  session_options options_;
  phase phase_ = phase::starting;
  media::source_ptr source_;
  std::shared_ptr<const media::av_index> index_;
  media::plan_ptr plan_;
  std::optional<failure> why_;
  bool saved_ = false; ///< the record is kept, or never will be
  std::vector<stream_fetch> early_;
  std::vector<stream_open_file> early_files_;
  std::vector<stream_plan_course> early_courses_;
  std::vector<stream_call> early_calls_;
  stream_health health_;
  health_state told_health_ = health_state::good;
  std::uint32_t told_changes_ = 0;
  double place_s_ = 0; ///< where it plays, by the newest segment asked for
  clock::time_point used_;
  timestamp_ms saved_expiry_ = 0;
};

/// One stream.
session_impl::behavior_type session(session_state::self_ptr self,
                                    session_options options);

} // namespace troupe::actors
