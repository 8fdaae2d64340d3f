#pragma once

#include <cstdint>
#include <string_view>
#include <system_error>

namespace troupe::media {

/// Why a piece of media work failed. Values travel between nodes: append only.
/// `code_of` gives the word that clients see; `may_pass` says whether another
/// attempt could end better.
enum class errc : std::uint8_t {
  none = 0,
  source_not_found,   ///< 404, 410, removed
  source_forbidden,   ///< an address that the guard refuses
  source_private,     ///< needs an account, a payment, an age
  source_unavailable, ///< 5xx, resets, timeouts on the way
  source_changed,     ///< grew or changed while it was read
  unsupported_url,    ///< no extractor knows it
  is_playlist,        ///< many items where one was asked for
  is_live,            ///< has no end yet
  drm_protected,
  geo_blocked,
  rate_limited,    ///< 429; see `failure_report::retry_after_s`
  too_large,       ///< over `max_filesize`
  bad_selector,    ///< no format answers to the selector
  bad_params,      ///< passed the schema, but makes no sense
  invalid_media,   ///< what arrived is no media file
  checksum_failed, ///< not the bytes that were asked for
  incomplete,      ///< a fragment is missing
  tool_missing,    ///< yt-dlp or ffmpeg is not installed
  tool_failed,     ///< ended with an error that we do not know
  tool_crashed,    ///< died by a signal
  disk_full,
  io_error,
  timeout,       ///< ran longer than `timeout_s`
  cancelled,     ///< by a user
  interrupted,   ///< stopped by us, to be continued: drain, pause, lost lease
  node_lost,     ///< the attempt's actor or node died
  internal,      ///< a defect of ours
  fault_asked,   ///< `noop` was told to fail
  bad_container, ///< the container asked for cannot hold the source's streams
  result_lost,   ///< what was committed is gone from its library, unpublished
  crashed,       ///< the codec child that read the media died
  memory,        ///< the codec child needed more than it may have
  sandbox,       ///< the codec child called what it must not; nobody's fault
  poison_source, ///< it crashed codec children lately, and is not read again
                 ///< yet
  killed,        ///< the codec child was killed from outside; nobody's fault
};

/// The word in the `code` of a job's error, such as `source_not_found`.
[[nodiscard]] std::string_view code_of(errc code) noexcept;

/// True for what another attempt may not meet again.
[[nodiscard]] bool may_pass(errc code) noexcept;

/// Category "media", for `failure`.
[[nodiscard]] const std::error_category& media_category() noexcept;
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

} // namespace troupe::media

template <>
struct std::is_error_code_enum<troupe::media::errc> : std::true_type {};
