#pragma once

#include "config/settings.hpp"
#include "media/egress/address_guard.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::media {

/// One delivery of what happened to a receiver.
struct callback_post {
  std::string url;      ///< http or https
  std::string event_id; ///< the same for each attempt at one event
  std::string event;    ///< `job.succeeded`, …
  std::string body;     ///< JSON
};

/// What came of it.
struct callback_answer {
  long status = 0;   ///< the receiver's; 0: there was no answer
  std::string error; ///< why there was none; empty otherwise
  /// Every address that the host has is refused by the address guard.
  bool forbidden = false;
  double retry_after_s = 0; ///< what the receiver asked for; 0: nothing
};

/// Heard once per post, on the sender's thread; returns at once.
using callback_heard = std::function<void(callback_answer)>;

/// Posts to receivers, each with the header fields `Troupe-Event-Id`,
/// `Troupe-Event`, `Troupe-Timestamp` and, with a secret, `Troupe-Signature`.
/// Redirects are not followed, answers are not read beyond 64 KiB, and no
/// address is connected to that the guard refuses: it is asked about each just
/// before. One thread serves all; connections are kept for the next post.
class callback_sender {
public:
  callback_sender(const config::callback_settings& settings,
                  address_guard guard);
  /// What is under way is not heard any more.
  ~callback_sender();
  callback_sender(const callback_sender&) = delete;
  callback_sender& operator=(const callback_sender&) = delete;

  /// Any thread; returns at once.
  void post(callback_post what, callback_heard heard);

private:
  class impl;
  std::unique_ptr<impl> impl_;
};

/// `sha256=` and the lower-case hex of HMAC-SHA256 (RFC 2104) with `secret`
/// over `{timestamp}.{body}`.
[[nodiscard]] std::string callback_signature(std::string_view secret,
                                             std::string_view timestamp,
                                             std::string_view body);

/// What follows from an answer.
enum class callback_verdict : std::uint8_t {
  delivered, ///< 2xx
  again,     ///< may pass: no answer, 3xx, 408, 425, 429, 5xx
  never,     ///< will not pass: any other 4xx (410: gone), a refused address
};

[[nodiscard]] callback_verdict verdict_on(const callback_answer& answer);

/// How long to wait after the `attempt`th try (from 1): 2 s, doubled each time
/// up to an hour, spread by ±20 %; at least what the receiver asked for, of
/// that at most an hour.
/// @param random in 0…1
[[nodiscard]] std::chrono::milliseconds
callback_wait(std::uint32_t attempt, double retry_after_s, double random);

} // namespace troupe::media
