#pragma once

#include "actors/node_view.hpp"
#include "actors/pool_scale.hpp"
#include "actors/store/job_store.hpp"
#include "config/settings.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// What a node's parts are given, out of its settings.
namespace troupe::actors {

using store_opener = std::function<result<std::unique_ptr<store::job_store>>()>;

[[nodiscard]] std::chrono::milliseconds from_seconds(double seconds);

[[nodiscard]] store::store_options
store_options_of(const config::settings& settings);

/// Whether other servers may work on it, and whether it can go away.
[[nodiscard]] bool is_remote(const store::store_options& options);

/// Opens a store as often as asked. Thread-safe.
[[nodiscard]] store_opener opener_of(store::store_options options);

/// What jobs may take of this machine; its disks are looked at again and
/// again. Reads /proc.
[[nodiscard]] media::job_cost budget_of(const config::node_settings& node);

/// Of a type, before any has run; nothing for one that this build has not.
[[nodiscard]] media::job_cost declared_cost(std::string_view type);

[[nodiscard]] scale_limits scale_of(const config::pool_settings& pools,
                                    std::uint32_t floor);

} // namespace troupe::actors
