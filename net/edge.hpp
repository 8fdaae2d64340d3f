#pragma once

#include "actors/store/ulid.hpp"
#include "config/settings.hpp"
#include "net/ask.hpp"
#include "net/batch_reader.hpp"
#include "net/client_message.hpp"
#include "net/control_reader.hpp"
#include "net/image_request.hpp"
#include "net/job_submit.hpp"
#include "net/server.hpp"
#include "net/upload.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <chrono>
#include <memory>

namespace troupe::net {

class pacer;

/// What every handler may use; owned by the server, outlives every session.
/// Handlers run on the io thread, one at a time between two `co_await`s.
struct edge {
  config::http_settings settings;
  server_parts parts;
  /// The bridge to the actors.
  ask_desk& asks;
  submit_reader submits;
  schedule_reader schedules;
  /// Used on `batch_thread` only.
  batch_reader batches;
  submit_reader large_submits; ///< used on `batch_thread` only
  store::ulid_minter batch_ids = {};
  /// What WebSocket clients say; one for all, since it keeps 60 KB at hand.
  client_message_reader messages = {};
  /// Set once, from any thread.
  std::atomic<bool> draining = false;
  /// Where file reads block instead of the io thread.
  boost::asio::any_io_executor files = {};
  /// One large body is read at a time, which may take its time.
  boost::asio::any_io_executor batch_thread = {};
  /// When `/metrics` asked the store last; then it is left alone for a second.
  std::chrono::steady_clock::time_point depths_at = {};
  /// Null: no images are served.
  std::unique_ptr<const image_site> images = {};
  double saved_s = 0; ///< by hits of images, as `/metrics` was told
  upload_book uploads = {};
  pacer* pace = nullptr; ///< null: bandwidth has no limits
};

} // namespace troupe::net
