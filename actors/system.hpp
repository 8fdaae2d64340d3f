#pragma once

#include "actors/gateway.hpp"
#include "actors/image_desk.hpp"
#include "actors/stream_desk.hpp"
#include "config/result.hpp"
#include "config/settings.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace troupe::config {
class metrics;
}

namespace troupe::media {
class workbench;
}

namespace troupe::actors {

/// What `/readyz` shows of the actors.
struct readiness {
  bool store = false;      ///< the store answers
  bool remote = false;     ///< it may go away: what waits then is spooled
  bool spool = true;       ///< takes more
  std::size_t spooled = 0; ///< operations that wait for the store
  std::size_t kept = 0;    ///< that it was told, and may lose yet
  std::uint64_t spooled_bytes = 0;
  bool draining = false; ///< takes no new work; may be about to stop

  [[nodiscard]] bool ok() const noexcept {
    return store && !draining;
  }
};

/// This process's actor system and everything in it. Thread-safe.
class node {
public:
  /// Opens the store, takes back the leases of an earlier life, and starts all
  /// actors. A remote store may be away if an earlier life has worked with
  /// one: what has to wait for it waits. What it is given must outlive it.
  /// @return the store's error if it does not open.
  [[nodiscard]] static result<std::unique_ptr<node>>
  open(const config::settings& settings, media::workbench& bench,
       config::metrics& metrics);

  /// Ends all actors; what still runs goes back to the queue. If they do not
  /// end within seconds a line in the log says so, and the process ends at once
  /// with status 1; what it ran dies with it.
  virtual ~node() = default;

  /// Valid until the node goes.
  [[nodiscard]] virtual gateway& edge() = 0;
  /// The same for images.
  [[nodiscard]] virtual image_desk& images() = 0;
  /// And for streams.
  [[nodiscard]] virtual stream_desk& streams() = 0;

  [[nodiscard]] virtual readiness ready() const = 0;

  /// What a submit reaches at best.
  [[nodiscard]] virtual store::durability reaches() const = 0;

  /// From now on takes no new work, as `drain`, but goes on to answer, until it
  /// is drained or ended. Returns at once; a second call changes nothing.
  virtual void retire() = 0;

  /// Begins to stop: no new work, `pools.drain_s` for what runs, the rest goes
  /// back to the queue. Returns at once; a second call changes nothing.
  virtual void drain() = 0;

  /// Waits for the end: after `drain`, or when the actors gave up because
  /// something died too often.
  /// @return the process's exit status: 0 after a complete drain, 1 when they
  /// gave up or the drain's hard limit is over; nothing if the actors still
  /// live after `limit`.
  [[nodiscard]] virtual std::optional<int>
  wait_for(std::chrono::milliseconds limit) = 0;

  /// `wait_for`, without a limit of its own.
  [[nodiscard]] virtual int wait() = 0;
};

} // namespace troupe::actors
