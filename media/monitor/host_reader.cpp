#include "media/monitor/host_reader.hpp"

#include "config/process_figures.hpp"
#include "media/monitor/proc_text.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <thread>

namespace troupe::media {

namespace {

constexpr std::size_t max_children = 64;

/// `name` at the start of a line, then a number.
std::uint64_t number_after(std::string_view text, std::string_view name) {
  for (const auto line : lines_of(text))
    if (line.starts_with(name))
      return numbers_of(line.substr(name.size()), 1).front();
  return 0;
}

/// `some avg10=0.12 …`, in percent.
double stalled_share(std::string_view text) {
  constexpr std::string_view name = "some avg10=";
  const auto at = text.find(name);
  return at == text.npos ? 0 : decimal_of(text.substr(at + name.size())) / 100;
}

double rate(std::uint64_t now, std::uint64_t then, double seconds) {
  return now > then && seconds > 0 ? static_cast<double>(now - then) / seconds
                                   : 0;
}

} // namespace

host_reader::host_reader(std::vector<named_folder> folders,
                         std::filesystem::path root)
  : folders_(std::move(folders)), proc_(root / "proc"),
    cgroup_(root / "sys/fs/cgroup") {}

host_figures host_reader::read(clock::time_point now) {
  host_figures out;
  counters seen;
  read_cpu(out, seen);
  read_memory(out);
  read_network(out, seen);
  read_pressure(out);
  read_process(out, seen);
  read_disks(out);
  if (last_at_ != clock::time_point{} && now > last_at_) {
    const auto s = std::chrono::duration<double>(now - last_at_).count();
    const auto ticks = rate(seen.total, last_.total, 1);
    out.cpu = ticks > 0 ? rate(seen.busy, last_.busy, 1) / ticks : 0;
    out.received_per_s = rate(seen.received, last_.received, s);
    out.sent_per_s = rate(seen.sent, last_.sent, s);
    out.process_cpu =
      std::max(0.0, seen.process_cpu_s - last_.process_cpu_s) / s;
  }
  last_ = seen;
  last_at_ = now;
  return out;
}

/// The first line of /proc/stat: user nice system idle iowait irq softirq
/// steal; guest time is in user already.
void host_reader::read_cpu(host_figures& out, counters& now) const {
  out.cores = std::max(1u, std::thread::hardware_concurrency());
  const auto text = file_text(proc_ / "stat");
  if (text.starts_with("cpu ")) {
    const auto ticks = numbers_of(std::string_view{text}.substr(4), 8);
    for (const auto it : ticks)
      now.total += it;
    now.busy = now.total - ticks[3] - ticks[4];
  }
  std::string_view load;
  const auto loads = file_text(proc_ / "loadavg");
  load = loads;
  for (double* to : {&out.load1, &out.load5, &out.load15}) {
    *to = decimal_of(load);
    load.remove_prefix(std::min(load.find(' '), load.size()));
    load.remove_prefix(std::min<std::size_t>(1, load.size()));
  }
}

void host_reader::read_memory(host_figures& out) const {
  const auto text = file_text(proc_ / "meminfo");
  out.memory = number_after(text, "MemTotal:") << 10;
  out.memory_available = number_after(text, "MemAvailable:") << 10;
  const auto limit = file_text(cgroup_ / "memory.max");
  if (limit.empty() || limit.starts_with("max"))
    return;
  const auto most = numbers_of(limit, 1).front();
  if (most == 0 || most >= out.memory)
    return;
  const auto used = numbers_of(file_text(cgroup_ / "memory.current"), 1);
  // Clean pages of files go as soon as others need the room.
  const auto files =
    number_after(file_text(cgroup_ / "memory.stat"), "inactive_file ");
  const auto taken = used.front() - std::min(used.front(), files);
  out.memory = most;
  out.memory_available =
    std::min(out.memory_available, most - std::min(most, taken));
}

void host_reader::read_network(host_figures& out, counters& now) const {
  const auto sockets = file_text(proc_ / "net/sockstat");
  out.sockets = number_after(sockets, "sockets: used ");
  out.tcp = number_after(sockets, "TCP: inuse ");
  const auto text = file_text(proc_ / "net/dev");
  for (const auto line : lines_of(text)) {
    const auto colon = line.find(':');
    if (colon == line.npos || line.substr(0, colon).ends_with("lo"))
      continue;
    const auto figures = numbers_of(line.substr(colon + 1), 9);
    now.received += figures[0];
    now.sent += figures[8];
  }
}

void host_reader::read_pressure(host_figures& out) const {
  const auto cpu = file_text(proc_ / "pressure/cpu");
  if (cpu.empty())
    return;
  out.pressure = pressure_figures{
    stalled_share(cpu), stalled_share(file_text(proc_ / "pressure/memory")),
    stalled_share(file_text(proc_ / "pressure/io"))};
}

void host_reader::read_process(host_figures& out, counters& now) const {
  const auto us = config::read_process_figures();
  now.process_cpu_s = us.cpu_s;
  out.process_memory = us.resident_bytes;
  out.descriptors = us.open_files;
  out.max_descriptors = us.max_files;
  out.threads = us.threads;
  out.started = us.started;
  out.children = read_children();
  out.child_count = out.children.size();
  for (const auto& it : out.children)
    out.child_memory += it.memory;
  out.children.resize(std::min(out.children.size(), max_children));
}

void host_reader::read_disks(host_figures& out) const {
  for (const auto& [name, path] : folders_) {
    // A folder that is not there yet will be made on the disk of its parent.
    auto there = path;
    struct statvfs seen {};
    while (::statvfs(there.c_str(), &seen) != 0 && there.has_relative_path())
      there = there.parent_path();
    if (seen.f_frsize == 0)
      continue;
    const auto used = seen.f_blocks - seen.f_bfree;
    // What root alone may use is nobody's.
    out.disks.push_back({name, path.string(),
                         (used + seen.f_bavail) * seen.f_frsize,
                         seen.f_bavail * seen.f_frsize});
  }
}

} // namespace troupe::media
