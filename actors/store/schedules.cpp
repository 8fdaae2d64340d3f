#include "actors/store/schedules.hpp"

#include "actors/store/archive.hpp"
#include "actors/store/cron.hpp"
#include "actors/store/dependants.hpp"
#include "actors/store/derived_id.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/put_off.hpp"

#include <algorithm>
#include <array>

namespace troupe::store {

namespace {

/// Not later than this is on time.
constexpr std::int64_t punctual_ms = 60000;
/// Times that went by and are made up for at most.
constexpr std::size_t most_missed = 100;
/// When a job could not be added.
constexpr std::int64_t try_again_ms = 1000;
constexpr std::size_t names_at_once = 256;

template <class Archive, class Schedule>
void fields(Archive& f, Schedule& it, std::string& draft) {
  f(it.name), f(it.cron), f(it.timezone), f(draft), f(it.overlap);
  f(it.catch_up), f(it.owner), f(it.generation), f(it.next_at);
  f(it.last_at), f(it.last_job);
}

void store(const schedule& it, timestamp_ms due, transaction& in) {
  job holder;
  static_cast<job_draft&>(holder) = it.job;
  auto draft = pack_draft(holder);
  archive_writer out;
  fields(out, it, draft);
  in.write(record_kind::schedule, it.name, std::move(out).take(), due);
}

/// The newest times, of those after `from - 1` and up to `now`: a hundred, or
/// all if they are fewer. Looked for in longer and longer stretches back from
/// now, so that years without a server cost no more than days.
std::vector<timestamp_ms> missed(const cron& when, timestamp_ms from,
                                 timestamp_ms now) {
  std::vector<timestamp_ms> times;
  for (std::int64_t stretch = 2 * 3600 * 1000;; stretch *= 4) {
    const auto after = std::max(from - 1, now - stretch);
    times.clear();
    for (auto at = when.next(after); at && *at <= now; at = when.next(*at))
      times.push_back(*at);
    if (times.size() >= most_missed || after == from - 1)
      break;
  }
  if (times.size() > most_missed)
    times.erase(times.begin(), times.end() - most_missed);
  return times;
}

/// Of the times that went by, those to make a job for.
std::vector<timestamp_ms> to_make_up(std::vector<timestamp_ms> times,
                                     catch_up_policy policy, timestamp_ms now) {
  if (times.empty() || policy == catch_up_policy::all)
    return times;
  const auto last = times.back();
  if (policy == catch_up_policy::none && now - last > punctual_ms)
    return {};
  return {last};
}

bool overlaps(const schedule& it, transaction& in) {
  if (it.overlap == overlap_policy::allow || it.last_job.empty())
    return false;
  const auto last = in.find(it.last_job);
  return last && !is_terminal(last.it->state);
}

/// Makes the job for one time. False when there was no room.
bool fire(schedule& it, timestamp_ms at, std::vector<job>& changed,
          transaction& in) {
  auto draft = it.job;
  draft.id =
    derived_id(at, "schedule\n" + it.name + '\n' + std::to_string(it.generation)
                     + '\n' + std::to_string(at));
  draft.run_at = 0;
  draft.delay_ms = 0;
  draft.owner = it.owner;
  auto made = add_job(draft, in);
  if (made.error == errc::queue_full)
    return false;
  if (made.changed) {
    it.last_at = at;
    it.last_job = draft.id;
    changed.push_back(std::move(made.job));
  }
  return true;
}

} // namespace

errc put_schedule(schedule it, transaction& in) {
  const auto when = cron::parse(it.cron, it.timezone);
  if (!when)
    return errc::bad_schedule;
  const auto before = read_schedule(it.name, in);
  it.last_at = before ? before->last_at : 0;
  it.last_job = before ? before->last_job : std::string{};
  if (before && before->cron == it.cron && before->timezone == it.timezone) {
    it.generation = before->generation;
    it.next_at = before->next_at;
  } else {
    // Greater than that of one that was dropped.
    const auto now = static_cast<std::uint64_t>(in.now());
    it.generation = before ? std::max(before->generation + 1, now) : now;
    it.next_at = when->next(in.now()).value_or(0);
  }
  store(it, it.next_at, in);
  in.link(link_kind::schedules, {}, it.name);
  return errc::none;
}

errc drop_schedule(const std::string& name, transaction& in) {
  if (!in.read(record_kind::schedule, name))
    return errc::not_found;
  in.remove(record_kind::schedule, name);
  in.unlink(link_kind::schedules, {}, name);
  return errc::none;
}

void fire_schedule(const std::string& name, std::vector<job>& changed,
                   transaction& in) {
  auto it = read_schedule(name, in);
  if (!it)
    return put_off(record_kind::schedule, name, in);
  if (it->next_at == 0 || it->next_at > in.now())
    return store(*it, it->next_at, in);
  const auto when = cron::parse(it->cron, it->timezone);
  if (!when) {
    // The zone has gone from the system: nobody can say when.
    store(*it, in.now() + punctual_ms, in);
    return;
  }
  // Those that are made up for do not overlap each other.
  const auto last_job = it->last_job;
  const auto times = overlaps(*it, in)
                       ? std::vector<timestamp_ms>{}
                       : to_make_up(missed(*when, it->next_at, in.now()),
                                    it->catch_up, in.now());
  for (const auto at : times) {
    if (!fire(*it, at, changed, in)) {
      it->next_at = at;
      it->last_job = last_job;
      store(*it, in.now() + try_again_ms, in);
      return;
    }
  }
  it->next_at = when->next(in.now()).value_or(0);
  store(*it, it->next_at, in);
}

std::optional<schedule> read_schedule(const std::string& name,
                                      transaction& in) {
  const auto bytes = in.read(record_kind::schedule, name);
  return bytes ? unpack_schedule(*bytes) : std::nullopt;
}

std::optional<schedule> unpack_schedule(std::string_view bytes) {
  schedule it;
  std::string draft;
  archive_reader from{bytes};
  fields(from, it, draft);
  job holder;
  if (!from.done() || !unpack_draft(draft, holder))
    return {};
  it.job = std::move(static_cast<job_draft&>(holder));
  return it;
}

std::vector<schedule> read_schedules(transaction& in) {
  std::vector<schedule> all;
  std::string last;
  for (bool more = true; more;) {
    const auto names = in.links(link_kind::schedules, {}, last, names_at_once);
    std::vector<record_name> wanted;
    for (const auto& name : names)
      wanted.push_back({record_kind::schedule, name});
    in.prefetch(wanted);
    for (const auto& name : names)
      if (auto it = read_schedule(name, in))
        all.push_back(std::move(*it));
    more = names.size() == names_at_once;
    if (more)
      last = names.back();
  }
  return all;
}

// -- words --------------------------------------------------------------------

namespace {

constexpr std::array<std::string_view, 2> overlap_words{"skip", "allow"};
constexpr std::array<std::string_view, 3> catch_up_words{"none", "one", "all"};

template <class Words, class Enum>
bool find_word(const Words& words, std::string_view text, Enum& out) noexcept {
  const auto at = std::ranges::find(words, text);
  if (at == words.end())
    return false;
  out = static_cast<Enum>(at - words.begin());
  return true;
}

} // namespace

std::string_view to_string(overlap_policy policy) noexcept {
  return overlap_words[static_cast<std::size_t>(policy)];
}

bool from_string(std::string_view text, overlap_policy& out) noexcept {
  return find_word(overlap_words, text, out);
}

std::string_view to_string(catch_up_policy policy) noexcept {
  return catch_up_words[static_cast<std::size_t>(policy)];
}

bool from_string(std::string_view text, catch_up_policy& out) noexcept {
  return find_word(catch_up_words, text, out);
}

} // namespace troupe::store
