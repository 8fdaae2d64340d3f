#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <thread>

namespace troupe::store::testing {

/// A TCP proxy on a free loopback port that can stop forwarding, without
/// closing anything: to both ends the other one is silent.
class stalling_proxy {
public:
  explicit stalling_proxy(int to_port);
  ~stalling_proxy();
  stalling_proxy(const stalling_proxy&) = delete;
  stalling_proxy& operator=(const stalling_proxy&) = delete;

  [[nodiscard]] int port() const noexcept {
    return port_;
  }
  void stall(bool stalled) {
    stalled_ = stalled;
  }

private:
  void serve();
  void carry(int from, int to);

  const int to_port_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stalled_ = false;
  std::atomic<bool> ends_ = false;
  std::list<std::thread> pumps_; ///< of the acceptor alone until it ends
  std::thread acceptor_;
};

} // namespace troupe::store::testing
