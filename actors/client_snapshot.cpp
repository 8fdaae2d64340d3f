#include "actors/client_snapshot.hpp"

#include "actors/event_json.hpp"
#include "actors/store/json_text.hpp"
#include "actors/store/queue_info.hpp"

#include <algorithm>
#include <array>

namespace troupe::actors {

void append_counts(std::string& out,
                   std::span<const std::uint64_t, store::job_state_count> by) {
  for (std::size_t i = 0; i < by.size(); ++i) {
    out += i == 0 ? '{' : ',';
    json::append_string(out, to_string(static_cast<store::job_state>(i)));
    out += ':';
    json::append_number(out, by[i]);
  }
  out += '}';
}

std::string jobs_snapshot(std::span<const store::queue_depth> depths,
                          const store::job_page& running, std::size_t most) {
  std::array<std::uint64_t, store::job_state_count> sum{};
  for (const auto& depth : depths)
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] += depth.by_state[i];
  std::string out = "{\"counts\":";
  append_counts(out, sum);
  out += ",\"running\":[";
  std::size_t shown = 0;
  for (const auto& job : running.jobs) {
    const auto data = data_of(job);
    if (shown == snapshot_jobs || out.size() + data.size() > most)
      break;
    if (shown++ > 0)
      out += ',';
    out += data;
  }
  const bool truncated =
    shown < running.jobs.size() || !running.next_page_token.empty();
  out.append("],\"truncated\":").append(truncated ? "true}" : "false}");
  return out;
}

std::string queue_snapshot(std::string_view queue,
                           std::span<const store::queue_info> queues) {
  const auto found =
    std::ranges::find(queues, queue, &store::queue_info::queue);
  store::queue_info empty;
  empty.queue = queue;
  std::string out;
  store::append_json(out, found == queues.end() ? empty : *found);
  return out;
}

} // namespace troupe::actors
