#pragma once

#include "actors/answer.hpp"
#include "actors/stream_desk.hpp"
#include "media/errc.hpp"
#include "media/stream/line.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// The protocol of streams; a part of `messages.hpp`. Nothing of it leaves the
/// process yet.
namespace troupe::actors {

// -- from the edge to the manager, and on to a session ------------------------

struct stream_open {
  stream_ask ask;
  answer<stream_view> reply;
};

/// Gathers what sessions say; answers when nobody holds it any more.
class stream_gathering {
public:
  explicit stream_gathering(answer<std::vector<stream_view>> reply)
    : reply_(std::move(reply)) {}
  ~stream_gathering() {
    reply_(std::move(views_));
  }
  stream_gathering(const stream_gathering&) = delete;
  stream_gathering& operator=(const stream_gathering&) = delete;

  void add(stream_view view) {
    const std::lock_guard lock{mutex_};
    views_.push_back(std::move(view));
  }

private:
  answer<std::vector<stream_view>> reply_;
  std::mutex mutex_;
  std::vector<stream_view> views_;
};

struct stream_list {
  answer<std::vector<stream_view>> reply;
};
struct stream_census {
  std::shared_ptr<stream_gathering> to;
};

/// To a session that has ended: nobody will ask it any more.
struct stream_farewell {};

/// To show, to change or to close it.
struct stream_call {
  enum class kind : std::uint8_t { show, change, close };
  kind what = kind::show;
  std::string id;
  stream_change change;
  answer<stream_view> reply;
};

struct stream_fetch {
  stream_file_ask ask;
  answer<stream_file_reply> reply;
};

struct stream_open_file {
  std::string id;
  answer<stream_direct> reply;
};

struct stream_plan_course {
  std::string id;
  double start_s = 0;
  answer<stream_course> reply;
};

// -- what is made -------------------------------------------------------------

/// What has become of one segment, an init or an index.
struct made_segment {
  media::cached_ptr init; ///< null: it has none
  media::cached_ptr media;
  double speed = 0; ///< media time by the time that it took; 0: was there
  bool fresh = false;
  std::uint32_t tries = 0; ///< children it took beyond the first
};

/// What somebody needs, found by `key`.
struct segment_work {
  media::cache_key key;
  media::source_ptr source;
  media::line_ptr line; ///< null: the source's index
  std::uint32_t number = 0;
  bool scan = false; ///< of an index: the whole file is read
};

struct segment_want {
  segment_work work;
  std::chrono::steady_clock::time_point deadline; ///< of who waits
  int priority = 5;
  answer<made_segment> reply;
};

/// Somebody watches a line so far; what has been made may be worked ahead of.
struct line_watch {
  media::line_ptr line;
  std::uint32_t number = 0;
  int priority = 5;
};

/// One task for a reader or a run.
struct maker_task {
  segment_work work;
  std::chrono::steady_clock::time_point deadline;
};

/// To a run: go on at least so far.
struct run_goal {
  std::uint32_t number = 0;
};

/// To a run: a place to encode is yours.
struct run_go {};

/// Of a run: it has made up its mind what to do next.
struct run_state {
  std::uint64_t run = 0;
  enum class kind : std::uint8_t { waits, working, paused, ended };
  kind what = kind::paused;
  std::uint32_t next = 0; ///< the segment that it makes, or would
};

/// Of a run or a reader: a task is over.
struct maker_report {
  std::uint64_t maker = 0;
  media::cache_key key;
  std::uint32_t number = 0;
  result<made_segment> outcome{made_segment{}};
};

struct stream_figures {
  std::uint64_t runs_working = 0;
  std::uint64_t runs_waiting = 0;
  std::uint64_t runs_paused = 0;
  std::uint64_t readers = 0;
  std::uint64_t waiting = 0; ///< segments that somebody waits for
};

// -- interfaces ---------------------------------------------------------------

/// Owns the codec child that reads one source: its index, and what is copied.
using reader_actor = caf::typed_actor<caf::reacts_to<maker_task>>;

/// Owns the codec child that encodes one rendition, from some segment on.
using run_actor =
  caf::typed_actor<caf::reacts_to<run_goal>, caf::reacts_to<run_go>>;

/// Knows who makes what; every segment is made once, whoever asks.
using registry_actor = caf::typed_actor<
  // Answered when it is there, or cannot be made.
  caf::reacts_to<segment_want>, caf::reacts_to<line_watch>,
  // Of its makers.
  caf::reacts_to<run_state>, caf::reacts_to<maker_report>>;

/// One stream: what it offers, and how its player fares.
using session_actor = caf::typed_actor<
  caf::reacts_to<stream_fetch>, caf::reacts_to<stream_call>,
  caf::reacts_to<stream_open_file>, caf::reacts_to<stream_plan_course>,
  caf::reacts_to<stream_census>, caf::reacts_to<stream_farewell>>;

/// Owns all streams, and takes those up again that an earlier life had.
using stream_actor =
  caf::typed_actor<caf::reacts_to<stream_open>, caf::reacts_to<stream_list>,
                   caf::reacts_to<stream_call>, caf::reacts_to<stream_fetch>,
                   caf::reacts_to<stream_open_file>,
                   caf::reacts_to<stream_plan_course>>;

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_open)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_census)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_farewell)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_fetch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_open_file)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_plan_course)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::segment_want)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::line_watch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::maker_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::run_goal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::run_go)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::run_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::maker_report)
