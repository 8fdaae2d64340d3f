#include "actors/node_options.hpp"

#include "actors/store/shared_store.hpp"
#include "media/job_types.hpp"
#include "media/monitor/host_reader.hpp"

#include <mutex>
#include <utility>

namespace troupe::actors {

std::chrono::milliseconds from_seconds(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

store::store_options store_options_of(const config::settings& settings) {
  const auto& from = settings.store;
  store::store_options to;
  to.url = from.url.empty()
             ? "sqlite:" + (settings.data.dir / "queue.db").string()
             : from.url;
  to.lease_ms = from_seconds(from.lease_s).count();
  to.ageing_ms = from_seconds(from.ageing_s).count();
  to.timeout_ms = from_seconds(from.timeout_s).count();
  to.retention_ms = std::int64_t{from.retention_days} * 24 * 3600 * 1000;
  to.retention_count = from.retention_count;
  to.max_queued = from.max_queued;
  return to;
}

bool is_remote(const store::store_options& options) {
  return !options.url.starts_with("sqlite:") && options.url != "memory:";
}

store_opener opener_of(store::store_options options) {
  if (options.url != "memory:")
    return [options = std::move(options)] {
      return store::open_store(options);
    };
  auto core = std::make_shared<store::shared_store::core>();
  return [options = std::move(options),
          core]() -> result<std::unique_ptr<store::job_store>> {
    const std::lock_guard lock{core->mutex};
    if (!core->store) {
      auto opened = store::open_store(options);
      if (!opened)
        return opened;
      core->store = std::move(*opened);
    }
    return std::make_unique<store::shared_store>(core);
  };
}

media::job_cost budget_of(const config::node_settings& node) {
  const auto host =
    media::host_reader{{}}.read(std::chrono::steady_clock::now());
  media::job_cost all;
  all.cpu = node.cpus > 0 ? node.cpus : host.cores;
  all.memory = node.memory_mb > 0 ? node.memory_mb << 20 : host.memory / 5 * 4;
  all.bandwidth = node.bandwidth_mbit * 125000;
  return all;
}

media::job_cost declared_cost(std::string_view type) {
  const auto* known = media::find_job_type(type);
  return known ? known->cost : media::job_cost{};
}

scale_limits scale_of(const config::pool_settings& pools, std::uint32_t floor) {
  scale_limits limits;
  limits.floor = floor;
  limits.grow_after_s = pools.grow_after_s;
  limits.shrink_after_s = pools.shrink_after_s;
  limits.max_cpu = pools.max_cpu;
  limits.min_memory = pools.min_memory;
  limits.min_disk = pools.min_disk;
  return limits;
}

} // namespace troupe::actors
