#include "actors/store/redis_audit.hpp"

#include "actors/store/redis_reply.hpp"
#include "actors/store/redis_store.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace troupe::store {

namespace {

/// A page is read at one instant; it must not take the server long.
constexpr std::uint32_t largest_page = 200;

/// Each set has a last member that stands for nothing: see `redis_info`.
bool is_filler(std::string_view member) {
  return member == std::string(80, '\xff');
}

/// What Redis says of a command that a key's kind does not know.
bool is_about_kind(const failure& why) {
  return why.detail.find("WRONGTYPE") != why.detail.npos;
}

} // namespace

std::optional<index_place> place_in(redis_key key, const redis_record& it) {
  const auto& job = it.job;
  switch (key) {
  case redis_key::states:
    return index_place{state_prefix(job.state) + ordered(it.sequence) + job.id};
  case redis_key::ready:
    if (job.state == job_state::queued)
      return index_place{lane_of(job) + rank_of(it.score, it.sequence)
                         + job.id};
    break;
  case redis_key::schedule:
    if (job.state == job_state::scheduled)
      return index_place{job.id, job.run_at};
    break;
  case redis_key::leases:
    if (is_leased(job.state))
      return index_place{job.id, job.lease_until};
    break;
  case redis_key::finished:
    if (is_terminal(job.state))
      return index_place{finished_prefix(job.state)
                         + ordered(static_cast<std::uint64_t>(job.finished_at))
                         + job.id};
    break;
  case redis_key::batches:
    if (!job.batch.empty())
      return index_place{batch_prefix(job.batch) + ordered(it.sequence)
                         + job.id};
    break;
  default:
    break;
  }
  return {};
}

redis_audit::redis_audit(redis_client& client, const store_options& options,
                         const audit_request& request)
  : client_{client}, options_{options}, request_{request},
    count_{std::to_string(std::min(request.max, largest_page))} {
  cursor_ = request.cursor.size() > 1 ? request.cursor.substr(1) : "0";
}

result<audit_result> redis_audit::run() {
  using step = result<void> (*)(redis_audit&);
  static constexpr std::array<step, 23> steps{
    [](redis_audit& it) { return it.links(); },
    [](redis_audit& it) { return it.jobs(); },
    [](redis_audit& it) { return it.index(redis_key::states); },
    [](redis_audit& it) { return it.index(redis_key::ready); },
    [](redis_audit& it) { return it.index(redis_key::schedule); },
    [](redis_audit& it) { return it.index(redis_key::leases); },
    [](redis_audit& it) { return it.index(redis_key::finished); },
    [](redis_audit& it) { return it.index(redis_key::batches); },
    [](redis_audit& it) { return it.unique(); },
    [](redis_audit& it) { return it.limits(); },
    [](redis_audit& it) { return it.tokens(); },
    [](redis_audit& it) { return it.lanes(redis_key::ready); },
    [](redis_audit& it) { return it.lanes(redis_key::heads); },
    [](redis_audit& it) { return it.lanes(redis_key::parked); },
    [](redis_audit& it) { return it.tallies(); },
    [](redis_audit& it) { return it.batches(); },
    [](redis_audit& it) { return it.records(); },
    [](redis_audit& it) { return it.due(redis_key::due); },
    [](redis_audit& it) { return it.due(redis_key::calls_due); },
    [](redis_audit& it) { return it.kept_answers(); },
    [](redis_audit& it) { return it.forgetting(); },
    [](redis_audit& it) { return it.sequence(); },
    [](redis_audit& it) {
      auto done = it.counters();
      return done ? it.running() : done;
    },
  };
  const std::size_t at =
    request_.cursor.empty() ? 0 : std::size_t(request_.cursor[0] - 'a');
  next_ = "0";
  if (at >= steps.size())
    return std::move(out_);
  if (auto done = steps[at](*this); !done) {
    if (!is_about_kind(done.error()))
      return done.error();
    if (auto looked = kinds(); !looked)
      return looked.error();
    return std::move(out_);
  }
  if (next_ != "0")
    out_.next_cursor = char('a' + at) + next_;
  else if (at + 1 < steps.size())
    out_.next_cursor = std::string(1, char('a' + at + 1));
  return std::move(out_);
}

/// Nothing can be looked at beside a key of another kind. Set aside, it comes
/// back empty, and the step is taken once more.
result<void> redis_audit::kinds() {
  bool mended = request_.repair;
  out_.findings.clear(); // they come of it, or are found once more
  for (std::size_t i = 0; i < redis_keys.size(); ++i) {
    const auto name = redis_keys[i];
    const auto kind = client_.ask({"TYPE", name});
    if (!kind)
      return kind.error();
    if ((*kind)->type != REDIS_REPLY_STATUS)
      return fail(errc::corrupt, "redis: no kind of a key");
    const std::string found{(*kind)->str, (*kind)->len};
    const std::string meant =
      is_hash(static_cast<redis_key>(i)) ? "hash" : "zset";
    if (found == "none" || found == meant)
      continue;
    const auto aside = std::string{name} + ":aside";
    auto& told = out_.findings.emplace_back(
      audit_finding{"key", std::string{name},
                    "is a " + found + ", not a " + meant + "; to be renamed to "
                      + aside + ", what it held is lost",
                    false});
    if (request_.repair)
      told.repaired = client_.ask({"RENAME", name, aside}).has_value();
    mended = mended && told.repaired;
  }
  if (mended && !out_.findings.empty())
    out_.next_cursor = request_.cursor.empty() ? "a" : request_.cursor;
  return {};
}

// -- reading ------------------------------------------------------------------

std::string_view redis_audit::keep(std::string text) {
  return texts_.emplace_back(std::move(text));
}

result<redis_reply_ptr> redis_audit::at_once(std::vector<redis_args> commands) {
  commands.insert(commands.begin(), redis_args{"MULTI"});
  commands.push_back({"EXEC"});
  auto replies = client_.run(commands);
  if (!replies)
    return replies.error();
  if (replies->back()->type != REDIS_REPLY_ARRAY)
    return fail(errc::unavailable, "redis: a transaction was not run");
  for (std::size_t i = 0; i < size_of(*replies->back()); ++i)
    if (const auto& one = *replies->back()->element[i];
        one.type == REDIS_REPLY_ERROR)
      return fail(errc::unavailable, "redis: " + std::string{one.str, one.len});
  return std::move(replies->back());
}

/// Members, or fields and values by turns.
result<std::vector<std::string>> redis_audit::scan(redis_key key,
                                                   std::string_view verb) {
  auto reply = client_.ask({verb, name_of(key), cursor_, "COUNT", count_});
  if (!reply)
    return reply.error();
  if (size_of(**reply) != 2)
    return fail(errc::corrupt, "redis: no page");
  next_ = text_at(**reply, 0);
  const auto& page = *(*reply)->element[1];
  std::vector<std::string> found;
  for (std::size_t i = 0; i + 1 < size_of(page); i += 2) {
    if (is_filler(text_at(page, i)))
      continue;
    found.emplace_back(text_at(page, i));
    found.emplace_back(text_at(page, i + 1));
  }
  out_.looked_at += found.size() / 2;
  return found;
}

result<void> redis_audit::look_at(redis_key key, std::string_view verb,
                                  const question& ask, const judgement& judge) {
  const auto page = scan(key, verb);
  if (!page)
    return page.error();
  std::vector<redis_args> commands;
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i + 1 < page->size(); i += 2) {
    std::ranges::move(ask({(*page)[i], (*page)[i + 1]}),
                      std::back_inserter(commands));
    ends.push_back(commands.size());
  }
  if (commands.empty())
    return {};
  const auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  std::size_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const answers about{(*replies)->element + begin, ends[i] - begin};
    begin = ends[i];
    if (about.empty())
      continue;
    if (auto done = judge({(*page)[2 * i], (*page)[2 * i + 1]}, about); !done)
      return done;
  }
  return {};
}

bool redis_audit::find(const char* invariant, std::string subject,
                       std::string detail) {
  out_.findings.push_back(
    {invariant, std::move(subject), std::move(detail), false});
  return request_.repair;
}

result<void> redis_audit::mend(redis_group& group) {
  auto done = group.write();
  if (!done)
    return done.error();
  out_.findings.back().repaired = *done;
  return {};
}

result<void>
redis_audit::mend(const std::function<void(redis_group&)>& repair) {
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  repair(group);
  return mend(group);
}

result<audit_result> redis_store::audit(const audit_request& request) {
  return redis_audit{client_, options_, request}.run();
}

} // namespace troupe::store
