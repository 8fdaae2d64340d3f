#include "actors/scheduling.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/policy/work_sharing.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

namespace troupe::actors {

namespace {

/// Stands before the clock that keeps the time. Invariant: `waiting_` holds all
/// actors that may have a timeout there, and `any_` tells whether it does.
/// (Delayed messages are no timeouts: they are sent whoever has ended.)
class considerate_clock final : public caf::detail::thread_safe_actor_clock {
public:
  explicit considerate_clock(caf::actor_clock& to) : to_(to) {}

  time_point now() const noexcept override {
    return to_.now();
  }

  void set_ordinary_timeout(time_point t, caf::abstract_actor* self,
                            caf::atom_value type, std::uint64_t id) override {
    note(self);
    to_.set_ordinary_timeout(t, self, type, id);
  }

  void set_multi_timeout(time_point t, caf::abstract_actor* self,
                         caf::atom_value type, std::uint64_t id) override {
    note(self);
    to_.set_multi_timeout(t, self, type, id);
  }

  void set_request_timeout(time_point t, caf::abstract_actor* self,
                           caf::message_id id) override {
    note(self);
    to_.set_request_timeout(t, self, id);
  }

  void cancel_ordinary_timeout(caf::abstract_actor* self,
                               caf::atom_value type) override {
    to_.cancel_ordinary_timeout(self, type);
  }

  void cancel_request_timeout(caf::abstract_actor* self,
                              caf::message_id id) override {
    to_.cancel_request_timeout(self, id);
  }

  void cancel_timeouts(caf::abstract_actor* self) override {
    if (forget(self))
      to_.cancel_timeouts(self);
  }

  void schedule_message(time_point t, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override {
    to_.schedule_message(t, std::move(receiver), std::move(content));
  }

  void schedule_message(time_point t, caf::group target,
                        caf::strong_actor_ptr sender,
                        caf::message content) override {
    to_.schedule_message(t, std::move(target), std::move(sender),
                         std::move(content));
  }

  void cancel_all() override {
    to_.cancel_all();
  }

private:
  void note(const caf::abstract_actor* self) {
    const std::lock_guard lock{mutex_};
    waiting_.insert(self);
    any_ = true;
  }

  /// @return whether it may have a timeout
  bool forget(const caf::abstract_actor* self) {
    if (!any_)
      return false;
    const std::lock_guard lock{mutex_};
    const bool known = waiting_.erase(self) > 0;
    any_ = !waiting_.empty();
    return known;
  }

  caf::actor_clock& to_;
  std::atomic<bool> any_ = false;
  std::mutex mutex_;
  std::unordered_set<const caf::abstract_actor*> waiting_;
};

/// Sharing: does not spin when idle, and no worker waits behind a busy one.
class coordinator final
  : public caf::scheduler::coordinator<caf::policy::work_sharing> {
public:
  using super = caf::scheduler::coordinator<caf::policy::work_sharing>;

  explicit coordinator(caf::actor_system& sys)
    : super(sys), clock_(super::clock()) {}

  static caf::actor_system::module* make(caf::actor_system& sys,
                                         caf::detail::type_list<>) {
    return new coordinator(sys);
  }

  caf::detail::thread_safe_actor_clock& clock() noexcept override {
    return clock_;
  }

private:
  considerate_clock clock_;
};

} // namespace

void schedule_actors(caf::actor_system_config& config) {
  config.load<coordinator>();
}

} // namespace troupe::actors
