#pragma once

#include "config/result.hpp"
#include "media/job_cost.hpp"
#include "media/monitor/host_figures.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Nodes, their pools and what is wrong with them, as clients see it. Plain
/// structs, no CAF.
namespace troupe::actors {

/// What a type of job is taken to need.
struct type_cost {
  std::string type;
  media::job_cost cost;
};

/// One pool of one node.
struct pool_view {
  std::string name;
  std::uint32_t slots = 0; ///< jobs that may run at once, now
  std::uint32_t floor = 0;
  std::uint32_t ceiling = 0;
  std::uint32_t busy = 0;    ///< jobs that use a slot
  std::uint32_t waiting = 0; ///< among them: leased, but what they need is not
                             ///< free yet
  bool held = false;         ///< claims nothing
  std::string reason;        ///< of the newest decision, see `scale_reason`
  std::uint64_t ended = 0;   ///< attempts since the start
  std::uint64_t failed = 0;  ///< of them
  std::vector<type_cost> costs;
};

struct node_view {
  std::string id;
  std::string name;      ///< of the machine
  std::string role;      ///< `head`: queue and edge, too
  bool draining = false; ///< takes no new work
  timestamp_ms seen_at = 0;
  media::host_figures host;
  media::job_cost budget; ///< 0: no limit
  media::job_cost in_use; ///< by jobs, as they are taken to need it
  std::vector<pool_view> pools;
};

enum class alert_kind : std::uint8_t {
  disk_low,
  memory_low,
  queue_age,
  error_rate,
  store_away,
};

[[nodiscard]] std::string_view to_string(alert_kind kind) noexcept;

struct alert {
  std::string id; ///< `{kind}:{subject}` or `{kind}`
  alert_kind kind = alert_kind::disk_low;
  std::string subject; ///< a disk, queue or pool; may be empty
  std::string node;
  double value = 0;     ///< the newest figure
  double raised_at = 0; ///< the threshold
  timestamp_ms since = 0;
};

/// `GET /v1/nodes`, and what is raised.
struct nodes_reply {
  std::vector<node_view> nodes;
  std::vector<alert> alerts;
};

/// JSON objects.
void append_json(std::string& out, const node_view& node);
void append_json(std::string& out, const alert& it);
/// The parts of a node that `/v1/system` shows: `"cpu":{…},"memory":{…},…`,
/// without braces around.
void append_host(std::string& out, const media::host_figures& host);
/// What `node.load` tells, in short.
[[nodiscard]] std::string load_json(const node_view& node);
/// The snapshots of the topics.
[[nodiscard]] std::string nodes_json(const nodes_reply& all);
[[nodiscard]] std::string alerts_json(const nodes_reply& all);

} // namespace troupe::actors
