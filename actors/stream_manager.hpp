#pragma once

#include "actors/store/ulid.hpp"
#include "actors/stream_registry.hpp"
#include "actors/stream_session.hpp"

#include <deque>
#include <map>
#include <unordered_map>

namespace troupe::actors {

struct stream_options {
  registry_options registry;
  /// `registry` and `promise` are the manager's to set.
  session_parts sessions;
  /// Reads a record. Null: there are none.
  std::function<void(std::string, reply_to<store::stream_record>)> get;
};

/// The record of a stream that is not open here.
struct stream_loaded {
  std::string id;
  result<store::stream_record> record{store::stream_record{}};
};

/// What a session may take; see `session_parts::promise`.
struct stream_promise {
  std::string id;
  std::uint64_t bits = 0;
};

/// A session has ended; see `session_parts::release`.
struct stream_release {
  std::string id;
};

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_promise)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_release)

namespace troupe::actors {

using stream_impl = stream_actor::extend<caf::reacts_to<stream_loaded>,
                                         caf::reacts_to<stream_promise>,
                                         caf::reacts_to<stream_release>>;

/// State of the STREAM MANAGER. Invariants:
/// - each session in `sessions_` is alive and monitored, or its DOWN is on its
///   way;
/// - of an id in `loading_` the store is being asked, and what was asked of it
///   waits there.
class stream_manager {
public:
  using self_ptr = stream_impl::stateful_pointer<stream_manager>;
  using clock = std::chrono::steady_clock;

  static inline const char* name = "troupe.streams";

  explicit stream_manager(self_ptr self) : self_(self) {}
  ~stream_manager();

  void start(stream_options options);
  void open(stream_open& open);
  void list(const stream_list& list);
  template <class Message>
  void pass(Message& message, const std::string& id);
  void loaded(stream_loaded& loaded);
  void promised(const stream_promise& promise);
  void released(const stream_release& release);

private:
  struct entry {
    session_actor actor;
    std::string owner;
    std::uint64_t bits = 0; ///< a second, promised
  };
  struct kept_key {
    std::string scope;
    std::string body_hash;
    std::string id;
    clock::time_point until;
  };
  using early = std::vector<std::variant<stream_call, stream_fetch,
                                         stream_open_file, stream_plan_course>>;

  [[nodiscard]] std::optional<failure> refuse(const std::string& owner) const;
  [[nodiscard]] bool replay(stream_open& open);
  void remember(const store::idempotency& key, const std::string& id);
  void add(session_options options);
  void on_down(const caf::down_msg& down);
  void show() const;

  self_ptr self_;
  stream_options options_;
  registry_actor registry_;
  std::unordered_map<std::string, entry> sessions_;
  std::unordered_map<std::string, early> loading_;
  std::deque<kept_key> keys_; ///< the oldest first
  store::ulid_minter ids_;
};

/// Owns all streams.
stream_impl::behavior_type streams(stream_manager::self_ptr self,
                                   stream_options options);

} // namespace troupe::actors
