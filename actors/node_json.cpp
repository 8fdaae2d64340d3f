#include "actors/node_view.hpp"
#include "actors/store/json_text.hpp"

#include <array>

namespace troupe::actors {

namespace {

/// Writes the members of one object; the first one without a comma.
class members {
public:
  explicit members(std::string& out) : out_(out) {}

  template <class T>
  members& number(std::string_view name, T value) {
    key(name);
    json::append_number(out_, value);
    return *this;
  }
  members& text(std::string_view name, std::string_view value) {
    key(name);
    json::append_string(out_, value);
    return *this;
  }
  members& flag(std::string_view name, bool value) {
    key(name);
    out_ += value ? "true" : "false";
    return *this;
  }
  members& time(std::string_view name, timestamp_ms value) {
    key(name);
    json::append_time(out_, value);
    return *this;
  }
  /// `write(members&)` fills an object.
  template <class Write>
  members& object(std::string_view name, Write write) {
    key(name);
    out_ += '{';
    members inner{out_};
    write(inner);
    out_ += '}';
    return *this;
  }
  /// An array with an object for each of `all`: `write(members&, item)`.
  template <class List, class Write>
  members& list(std::string_view name, const List& all, Write write) {
    key(name);
    out_ += '[';
    for (const auto& it : all) {
      out_ += &it == &*all.begin() ? "{" : ",{";
      members inner{out_};
      write(inner, it);
      out_ += '}';
    }
    out_ += ']';
    return *this;
  }

private:
  void key(std::string_view name) {
    if (!first_)
      out_ += ',';
    first_ = false;
    json::append_string(out_, name);
    out_ += ':';
  }

  std::string& out_;
  bool first_ = true;
};

void write_cost(members& to, const media::job_cost& cost) {
  to.number("cpu", cost.cpu)
    .number("memory", cost.memory)
    .number("disk", cost.disk)
    .number("bandwidth_per_s", cost.bandwidth);
}

void write_pool(members& to, const pool_view& pool) {
  to.text("name", pool.name)
    .number("slots", pool.slots)
    .number("floor", pool.floor)
    .number("ceiling", pool.ceiling)
    .number("busy", pool.busy)
    .number("waiting", pool.waiting)
    .flag("held", pool.held)
    .text("reason", pool.reason)
    .number("ended", pool.ended)
    .number("failed", pool.failed)
    .list("costs", pool.costs, [](members& in, const type_cost& it) {
      in.text("type", it.type);
      write_cost(in, it.cost);
    });
}

void write_alert(members& to, const alert& it) {
  to.text("id", it.id)
    .text("kind", to_string(it.kind))
    .text("subject", it.subject)
    .text("node", it.node)
    .number("value", it.value)
    .number("threshold", it.raised_at)
    .time("since", it.since);
}

void write_processes(members& to, const media::host_figures& host) {
  to.object("process",
            [&host](members& in) {
              in.number("cpu", host.process_cpu)
                .number("memory", host.process_memory)
                .number("threads", host.threads);
            })
    .object("children", [&host](members& in) {
      in.number("count", host.child_count)
        .number("memory", host.child_memory)
        .list("largest", host.children,
              [](members& one, const media::child_figures& it) {
                one.number("pid", it.pid)
                  .text("name", it.name)
                  .number("memory", it.memory)
                  .number("cpu_s", it.cpu_s);
              });
    });
}

void write_host(members& to, const media::host_figures& host) {
  to.object("cpu",
            [&host](members& in) {
              in.number("cores", host.cores)
                .number("busy", host.cpu)
                .number("load1", host.load1)
                .number("load5", host.load5)
                .number("load15", host.load15);
            })
    .object("memory",
            [&host](members& in) {
              in.number("total", host.memory)
                .number("available", host.memory_available);
            })
    .list("disk", host.disks,
          [](members& in, const media::disk_figures& it) {
            in.text("name", it.name)
              .text("path", it.path)
              .number("size", it.size)
              .number("free", it.free);
          })
    .object("sockets",
            [&host](members& in) {
              in.number("used", host.sockets).number("tcp", host.tcp);
            })
    .object(
      "descriptors",
      [&host](members& in) {
        in.number("used", host.descriptors).number("max", host.max_descriptors);
      })
    .object("network", [&host](members& in) {
      in.number("received_per_s", host.received_per_s)
        .number("sent_per_s", host.sent_per_s);
    });
  if (host.pressure)
    to.object("pressure", [&host](members& in) {
      in.number("cpu", host.pressure->cpu)
        .number("memory", host.pressure->memory)
        .number("io", host.pressure->io);
    });
  write_processes(to, host);
}

void write_node(members& to, const node_view& node) {
  to.text("id", node.id)
    .text("name", node.name)
    .text("role", node.role)
    .text("state", node.draining ? "draining" : "ready")
    .time("seen_at", node.seen_at)
    .time("started_at", static_cast<timestamp_ms>(node.host.started * 1000));
  write_host(to, node.host);
  to.object("budget", [&node](members& in) { write_cost(in, node.budget); })
    .object("in_use", [&node](members& in) { write_cost(in, node.in_use); })
    .list("pools", node.pools, write_pool);
}

void write_load(members& to, const node_view& node) {
  const auto& host = node.host;
  to.text("id", node.id)
    .number("cpu", host.cpu)
    .number("load1", host.load1)
    .number("memory_available", host.memory_available);
  to.object("disk_free", [&host](members& in) {
    for (const auto& it : host.disks)
      in.number(it.name, it.free);
  });
  to.list("pools", node.pools, [](members& in, const pool_view& pool) {
    in.text("name", pool.name)
      .number("slots", pool.slots)
      .number("busy", pool.busy)
      .number("waiting", pool.waiting)
      .flag("held", pool.held);
  });
}

template <class Write>
void append_object(std::string& out, Write write) {
  out += '{';
  members to{out};
  write(to);
  out += '}';
}

} // namespace

std::string_view to_string(alert_kind kind) noexcept {
  constexpr std::array<std::string_view, 5> names{
    "disk_low", "memory_low", "queue_age", "error_rate", "store_away"};
  return names[static_cast<std::size_t>(kind)];
}

void append_json(std::string& out, const node_view& node) {
  append_object(out, [&node](members& to) { write_node(to, node); });
}

void append_json(std::string& out, const alert& it) {
  append_object(out, [&it](members& to) { write_alert(to, it); });
}

void append_host(std::string& out, const media::host_figures& host) {
  members to{out};
  write_host(to, host);
}

std::string load_json(const node_view& node) {
  std::string out;
  append_object(out, [&node](members& to) { write_load(to, node); });
  return out;
}

std::string nodes_json(const nodes_reply& all) {
  std::string out;
  append_object(
    out, [&all](members& to) { to.list("nodes", all.nodes, write_node); });
  return out;
}

std::string alerts_json(const nodes_reply& all) {
  std::string out;
  append_object(
    out, [&all](members& to) { to.list("alerts", all.alerts, write_alert); });
  return out;
}

} // namespace troupe::actors
