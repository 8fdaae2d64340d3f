#pragma once

#include "config/settings.hpp"
#include "media/attempt.hpp"
#include "media/child/children.hpp"
#include "media/download/host_pauses.hpp"
#include "media/egress/address_guard.hpp"
#include "media/egress/proxy.hpp"
#include "media/fetch/range_fetcher.hpp"
#include "media/probe/bad_sources.hpp"
#include "media/probe/remote_share.hpp"

#include <memory>
#include <string_view>

namespace troupe::media {

/// JSON Schemas of the `probe` job type.
extern const std::string_view probe_params_schema;
extern const std::string_view probe_result_schema;

/// What probes stand on; everything outlives them.
struct probe_services {
  runtime& threads;
  codec_children& children;
  const config::library_settings& library;
  const address_guard& guard;
  egress_proxy& proxy;
  range_fetcher& fetcher;
  host_pauses& pauses;
  bad_sources& bad;
  remote_share& remote;
};

/// An attempt that tells a source's media facts, by a codec child of its own.
[[nodiscard]] std::unique_ptr<attempt>
make_probe(const probe_services& services, attempt_task task,
           std::shared_ptr<attempt_sink> sink);

} // namespace troupe::media
