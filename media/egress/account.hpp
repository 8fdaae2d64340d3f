#pragma once

#include "media/egress/proxy.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::media {

/// Something of a client's that can be cut.
class egress_connection {
public:
  virtual ~egress_connection() = default;
  /// Closes its sockets; on the io thread.
  virtual void cut() = 0;
};

/// What one client may do and what was seen of it. Thread-safe, except for
/// its connections, which belong to the io thread.
class account_state {
public:
  account_state(egress_policy policy, std::string token);

  [[nodiscard]] const std::string& token() const {
    return token_;
  }
  [[nodiscard]] egress_report report() const;

  /// Counts received bytes; false if they are too many (`too_large`).
  [[nodiscard]] bool count(std::size_t bytes);
  /// When bytes that were just received may be passed on, so that all
  /// connections together keep to the rate.
  [[nodiscard]] std::chrono::steady_clock::time_point pace(std::size_t bytes);
  /// How much to read at once, so that a slow rate is a smooth one.
  [[nodiscard]] std::size_t block_size() const;
  /// False once it was too large or is closed: nothing more is fetched.
  [[nodiscard]] bool is_open() const;
  void close();

  /// True for the first host that is asked for: what a source leads to is
  /// mostly elsewhere.
  [[nodiscard]] bool asks_first_for(const std::string& host);

  void refuse(errc code, std::string detail);
  void saw_status(int status, double retry_after_s);
  /// A host was not resolved or not reached.
  void saw_failure(errc code, std::string detail);

  void add(std::weak_ptr<egress_connection> connection);
  void cut_all();

private:
  using steady = std::chrono::steady_clock;

  const egress_policy policy_;
  const std::string token_;
  mutable std::mutex mutex_;
  egress_report report_;
  std::string first_host_;
  bool open_ = true;
  /// Token bucket as the time at which it will be full again.
  steady::time_point full_at_{};
  std::vector<std::weak_ptr<egress_connection>> connections_;
};

} // namespace troupe::media
