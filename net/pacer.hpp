#pragma once

#include "config/hours.hpp"
#include "config/settings.hpp"
#include "net/bandwidth.hpp"
#include "net/traffic.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace troupe::config {
class metrics;
}

namespace troupe::net {

/// A limit that depends on the hour.
class daily_limit {
public:
  /// What holds, and for how long at least.
  struct present {
    std::uint64_t mbit = 0;
    std::chrono::seconds lasts{0};
  };

  /// @param hours as `config::parse_hours` takes them
  daily_limit(std::uint64_t usual_mbit, const std::vector<std::string>& hours);

  /// @param of_day since midnight
  [[nodiscard]] present at(std::chrono::seconds of_day) const;
  [[nodiscard]] bool changes() const noexcept {
    return !hours_.empty();
  }

private:
  std::uint64_t usual_;
  std::vector<config::hours> hours_;
};

/// Seconds since local midnight.
[[nodiscard]] std::chrono::seconds local_time_of_day();

/// Makes those who send bodies wait for their share of bandwidth. One timer for
/// all, which runs only while somebody waits or was here a moment ago. Used on
/// the io thread alone. Goes before its io context; lanes may outlive it.
class pacer {
public:
  using clock = std::chrono::steady_clock;
  using time_of_day = std::function<std::chrono::seconds()>;

  class lane;

  /// Null if nothing is limited.
  [[nodiscard]] static std::unique_ptr<pacer>
  make(boost::asio::any_io_executor io,
       const config::bandwidth_settings& settings, config::metrics& metrics,
       time_of_day now = local_time_of_day);

  pacer(boost::asio::any_io_executor io,
        const config::bandwidth_settings& settings, config::metrics& metrics,
        time_of_day now);
  /// Nobody is granted anything any more.
  ~pacer();
  pacer(const pacer&) = delete;
  pacer& operator=(const pacer&) = delete;

  /// Whether bodies of that kind have to wait.
  [[nodiscard]] bool limits(traffic kind) const noexcept;

private:
  class gate;

  config::metrics& metrics_;
  std::shared_ptr<gate> all_;    ///< null: only images are limited
  std::shared_ptr<gate> images_; ///< null: no limit of their own
};

/// For one body: before each piece of it `wait` says how much may be sent.
class pacer::lane {
public:
  /// @param who both names are set
  lane(pacer& of, const sender& who, traffic kind);
  ~lane();
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;

  /// Up to `bytes`, which is not 0; nothing once it was cancelled. What it
  /// says counts as sent.
  [[nodiscard]] boost::asio::awaitable<std::size_t> wait(std::size_t bytes);

  /// Ends its waiting, now and later.
  void cancel();

private:
  friend class pacer;
  struct seat;

  [[nodiscard]] boost::asio::awaitable<std::size_t> pass(seat& at,
                                                         std::size_t bytes);

  config::metrics& metrics_;
  const traffic kind_;
  std::unique_ptr<seat> all_;
  std::unique_ptr<seat> images_;
  std::size_t spare_ = 0; ///< that images may send, as far as all may
  bool cancelled_ = false;
};

} // namespace troupe::net
