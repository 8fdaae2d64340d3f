#pragma once

#include "config/settings.hpp"
#include "media/attempt.hpp"
#include "media/callback/sender.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace troupe::config {
class metrics;
}

namespace troupe::media {

class image_service;
class stream_service;

/// What a URL holds, as JSON (see `POST /v1/extract`), or why it cannot be
/// said. Called on a thread of the media layer; returns at once.
using extract_done = std::function<void(result<std::string>)>;

/// Everything that media work stands on, made once per process: threads, tool
/// runner, egress proxy, and the attempts of each job type. Thread-safe.
class workbench {
public:
  /// @param self the running `troupe` executable; `troupe-codec` lies beside.
  /// Settings must outlive it.
  [[nodiscard]] static result<std::unique_ptr<workbench>>
  open(const config::settings& settings, config::metrics& metrics,
       std::filesystem::path self);

  virtual ~workbench() = default;

  /// An attempt of `task.type`; null for a type that this build has not.
  [[nodiscard]] virtual std::unique_ptr<attempt>
  make_attempt(attempt_task task, std::shared_ptr<attempt_sink> sink) = 0;

  /// False while the zygote of codec children is replaced: their tasks wait.
  [[nodiscard]] virtual bool has_zygote() const = 0;

  /// Looks at a URL; `tools.max_extracts` at once, more wait their turn.
  virtual void extract(std::string url, extract_done done) = 0;

  /// Posts to a receiver; see `callback_sender`.
  virtual void post(callback_post what, callback_heard heard) = 0;

  /// Images on demand.
  [[nodiscard]] virtual image_service& images() = 0;

  /// Sources and segments of streams.
  [[nodiscard]] virtual stream_service& streams() = 0;

  /// Runs `work` on a thread that may block on files.
  virtual void on_file_thread(std::function<void()> work) = 0;
};

} // namespace troupe::media
