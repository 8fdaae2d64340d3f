#include "net/cli/api.hpp"
#include "net/cli/table.hpp"
#include "net/cli/text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>

namespace troupe::cli {

namespace {

using boost::json::value;
using row = std::vector<std::string>;

std::string percent_text(double share) {
  return std::to_string(std::lround(share * 100)) + " %";
}

/// `busy/slots` of each pool, and why one claims nothing.
std::string pools_text(const value& node) {
  std::string out;
  const auto* pools = member_of(node, "pools").if_array();
  for (const auto& pool : pools ? *pools : boost::json::array{}) {
    out += out.empty() ? "" : "  ";
    out += text_of(pool, "name") + ' '
           + std::to_string(std::lround(number_of(pool, "busy"))) + '/'
           + std::to_string(std::lround(number_of(pool, "slots")));
    const auto* held = member_of(pool, "held").if_bool();
    if (held && *held)
      out += " (" + text_of(pool, "reason") + ')';
  }
  return out;
}

/// The fullest of its disks.
std::string disk_text(const value& node) {
  double least = -1;
  const auto* disks = member_of(node, "disk").if_array();
  for (const auto& disk : disks ? *disks : boost::json::array{})
    if (const auto size = number_of(disk, "size"); size > 0) {
      const auto share = number_of(disk, "free") / size;
      least = least < 0 ? share : std::min(least, share);
    }
  return least < 0 ? "" : percent_text(least);
}

row node_row(const value& node) {
  const auto& cpu = member_of(node, "cpu");
  const auto& memory = member_of(node, "memory");
  const auto total = number_of(memory, "total");
  return {printable(text_of(node, "name")),
          text_of(node, "role"),
          text_of(node, "state"),
          percent_text(number_of(cpu, "busy")),
          total > 0 ? percent_text(number_of(memory, "available") / total) : "",
          disk_text(node),
          pools_text(node)};
}

/// Nothing is told where nothing is raised.
int print_alerts(const server_address& at) {
  auto answer = ask(at, "GET", "/v1/alerts");
  if (!answer)
    return answer.error().code;
  const auto* alerts = member_of(*answer, "alerts").if_array();
  for (const auto& it : alerts ? *alerts : boost::json::array{})
    std::cout << "alert " << text_of(it, "id") << " since "
              << text_of(it, "since") << '\n';
  return exit_done;
}

} // namespace

int list_nodes(const client_options& to) {
  auto at = find_server(to);
  if (!at)
    return at.error().code;
  auto answer = ask(*at, "GET", "/v1/nodes");
  if (!answer)
    return answer.error().code;
  if (to.json) {
    print_json(*answer);
    return exit_done;
  }
  std::vector<row> rows = {
    {"NODE", "ROLE", "STATE", "CPU", "MEMORY FREE", "DISK FREE", "POOLS"}};
  if (const auto* nodes = member_of(*answer, "nodes").if_array())
    for (const auto& node : *nodes)
      rows.push_back(node_row(node));
  print_table(rows);
  return print_alerts(*at);
}

} // namespace troupe::cli
