#include "net/cli/store_findings.hpp"

#include "actors/store/spool.hpp"
#include "net/cli/data_folder.hpp"

#include <optional>
#include <set>
#include <tuple>

namespace troupe::cli {

namespace {

namespace fs = std::filesystem;

/// Findings that are told one by one; the others are counted.
constexpr std::size_t most_told = 20;
constexpr std::uint32_t rows_per_step = 2000;
/// To read a whole file: some 20 GB of it, from a good disk.
constexpr std::int64_t file_s = 60;

store::store_options options_of(const config::store_settings& from) {
  store::store_options out;
  out.url = from.url;
  out.lease_ms = static_cast<std::int64_t>(from.lease_s * 1000);
  out.ageing_ms = static_cast<std::int64_t>(from.ageing_s * 1000);
  out.timeout_ms = static_cast<std::int64_t>(from.timeout_s * 1000);
  return out;
}

/// A URL without its password.
std::string shown(std::string url) {
  const auto at = url.rfind('@');
  const auto start = url.find("//");
  if (at != url.npos && start != url.npos)
    url.replace(start + 2, at - start - 2, "***");
  return url;
}

void tell(findings& out, const store::audit_finding& it) {
  const auto text = it.invariant + " of " + it.subject + ": " + it.detail;
  if (it.repaired)
    out.warn("audit", text + " (mended)");
  else
    out.fail("audit", text);
}

/// What audits came to. What cannot be mended is found by each, and counts
/// once.
struct audit_sum {
  std::uint64_t looked_at = 0;
  std::size_t found = 0;
  std::size_t mended = 0;
  bool gave_up = false;
  std::set<std::tuple<std::string, std::string, std::string>> left = {};
};

/// @return false for what was found before
bool count(audit_sum& sum, const store::audit_finding& it) {
  if (!it.repaired
      && !sum.left.emplace(it.invariant, it.subject, it.detail).second)
    return false;
  sum.mended += it.repaired ? 1 : 0;
  ++sum.found;
  return true;
}

/// @return how many were mended
result<std::size_t> audit(findings& out, store::job_store& from, bool repair,
                          audit_sum& sum) {
  const auto before = sum.mended;
  sum.looked_at = 0;
  store::audit_request request;
  request.repair = repair;
  request.max = rows_per_step;
  request.file_ms = file_s * 1000;
  do {
    const auto step = from.audit(request);
    if (!step)
      return step.error();
    for (const auto& it : step->findings)
      if (count(sum, it) && sum.found <= most_told)
        tell(out, it);
    sum.looked_at += step->looked_at;
    sum.gave_up = sum.gave_up || step->gave_up;
    request.cursor = step->next_cursor;
  } while (!request.cursor.empty());
  return sum.mended - before;
}

/// What is mended late may show what was looked at early in another light.
result<audit_sum> audit_until_clean(findings& out, store::job_store& from,
                                    bool repair) {
  audit_sum sum;
  for (int pass = 0; pass < 3; ++pass) {
    const auto mended = audit(out, from, repair, sum);
    if (!mended)
      return mended.error();
    if (*mended == 0)
      break;
  }
  return sum;
}

void check_invariants(findings& out, store::job_store& from, bool repair) {
  const auto sum = audit_until_clean(out, from, repair);
  if (!sum)
    return out.fail("audit", sum.error().message());
  if (sum->gave_up)
    out.warn("audit",
             "the file was not read to its end within " + std::to_string(file_s)
               + " s",
             "stop the server, then: sqlite3 queue.db 'PRAGMA quick_check'");
  const auto rows = std::to_string(sum->looked_at)
                    + (sum->looked_at == 1 ? " row" : " rows") + " looked at";
  if (sum->found == 0)
    return out.ok("audit", rows + ", all invariants hold");
  const auto text = rows + ", " + std::to_string(sum->found) + " findings, "
                    + std::to_string(sum->mended) + " mended";
  if (sum->mended == sum->found)
    out.warn("audit", text);
  else
    out.fail("audit", text,
             repair ? "run it again" : "mend them: troupe doctor --repair");
}

/// Submits that the store has taken, in the life that it has now, and does not
/// know. Such a job may have been purged.
std::size_t unknown_of(const std::vector<store::spool::entry>& all,
                       const store::spool::kept_part& kept,
                       store::job_store& from) {
  std::size_t unknown = 0;
  for (const auto& it : all) {
    const auto* submit = std::get_if<store::submit_op>(&it.op);
    if (!submit || it.number > kept.through)
      continue;
    const auto found = from.get(submit->draft.id);
    unknown += !found && found.error().code == store::errc::not_found ? 1 : 0;
  }
  return unknown;
}

/// What waits at this server for a remote store, and what that may lose yet.
/// @param from null: it is away
void check_spool(findings& out, const config::settings& settings,
                 store::job_store* from) {
  const auto path = settings.data.dir / "spool.db";
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return;
  auto opened = store::spool::open(path.string(), settings.spool.max_bytes);
  auto all = opened ? (*opened)->read() : opened.error();
  if (!all)
    return out.fail("spool", path.string() + ": " + all.error().message(),
                    "what was acknowledged may be in it: keep the file");
  const auto& kept = (*opened)->kept();
  const auto text = std::to_string((*opened)->size() - kept.size)
                    + " operations wait for the store, "
                    + std::to_string(kept.size)
                    + " are kept until it has synced them";
  if (from && kept.size > 0 && kept.life != from->life())
    return out.warn("spool", text + "; it was restarted since",
                    "the server tells it again what it may have lost");
  if (const auto unknown =
        from && kept.size > 0 ? unknown_of(*all, kept, *from) : 0;
      unknown > 0)
    return out.warn("spool",
                    text + "; the store does not know "
                      + std::to_string(unknown) + " of them",
                    "were these jobs purged?");
  out.ok("spool", text);
}

} // namespace

namespace {

std::string remedy_of(const failure& why, bool embedded) {
  if (!embedded)
    return "is the server there, and is it set up for a queue?";
  if (why.code == store::errc::corrupt)
    return "keep the file, with its -wal; put back a backup, or start anew "
           "without it";
  if (why.code == store::errc::disk_full)
    return "make room on its disk";
  return "may this user read and write the file and its folder?";
}

} // namespace

void check_store(findings& out, const config::settings& settings, bool repair) {
  const auto url = shown(settings.store.url);
  std::error_code ignored;
  const bool embedded = settings.store.url.starts_with("sqlite:");
  if (embedded && !fs::exists(settings.store.url.substr(7), ignored))
    return out.ok("store", url + " (to be made)");
  std::optional<data_folder> held;
  if (embedded) {
    auto folder = data_folder::hold(settings.data.dir);
    if (folder)
      held.emplace(std::move(*folder));
  }
  const bool in_use = embedded && !held;
  auto opened = store::open_store(options_of(settings.store));
  if (!embedded && settings.store.url != "memory:")
    check_spool(out, settings, opened ? opened->get() : nullptr);
  if (!opened)
    return out.fail("store", url + ": " + opened.error().message(),
                    remedy_of(opened.error(), embedded));
  out.ok("store", url + (in_use ? ", in use by a running server" : "")
                    + ", durability "
                    + std::string{store::to_string((*opened)->level())});
  if (settings.store.url == "memory:")
    return;
  if (repair && in_use)
    out.warn("repair", "nothing is mended: a running server uses the store",
             "stop the server, then run troupe doctor --repair again");
  else if (in_use)
    out.ok("repair",
           "to mend the store, stop the server that uses it, then run "
           "troupe doctor --repair");
  check_invariants(out, **opened, repair && !in_use);
}

} // namespace troupe::cli
