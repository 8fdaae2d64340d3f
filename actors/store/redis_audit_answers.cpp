#include "actors/store/audit_rules.hpp"
#include "actors/store/audit_ties.hpp"
#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>

/// Answers that are kept for a day, and the numbers that jobs get.
namespace troupe::store {

/// Each makes sense, and is forgotten when its time is up.
result<void> redis_audit::kept_answers() {
  redis_group clock{client_, options_};
  if (auto read = clock.read(); !read)
    return read;
  const auto ask = [&](const entry& it) -> std::vector<redis_args> {
    return {{"HGET", name_of(redis_key::answers), keep(it.name)},
            {"ZSCORE", name_of(redis_key::forget), keep(it.name)}};
  };
  const auto judge = [&](const entry& it, answers about) -> result<void> {
    const auto& scope = it.name;
    const auto bytes = text_of(*about[0]);
    if (!is_text(*about[0]))
      return {};
    redis_answer kept;
    const bool readable = unpack_answer(bytes, kept) && is_answer(kept.packed);
    const auto latest = latest_expiry(clock.now());
    const bool ends =
      is_text(*about[1]) && kept.expiry <= latest
      && text_of(*about[1]).find("inf") == std::string_view::npos
      && number_of(*about[1]) <= latest;
    if ((readable && ends)
        || !find("answer", scope,
                 readable ? "it is never forgotten" : "it cannot be read"))
      return {};
    return mend([&](redis_group& group) {
      group.changes.expect(redis_key::answers, scope,
                           bytes.substr(0, answer_token_size));
      kept.expiry = std::min(kept.expiry, latest);
      if (readable) {
        group.changes.set(redis_key::answers, scope, pack_answer(kept));
        group.changes.add(redis_key::forget, scope, kept.expiry);
      } else {
        group.changes.remove(redis_key::answers, scope);
        group.changes.remove(redis_key::forget, scope);
      }
    });
  };
  return look_at(redis_key::answers, "HSCAN", ask, judge);
}

/// What is to be forgotten is there.
result<void> redis_audit::forgetting() {
  const auto ask = [&](const entry& it) -> std::vector<redis_args> {
    return {{"HEXISTS", name_of(redis_key::answers), keep(it.name)},
            {"ZSCORE", name_of(redis_key::forget), keep(it.name)}};
  };
  const auto judge = [&](const entry& it, answers about) -> result<void> {
    if (number_of(*about[0]) != 0 || !is_text(*about[1])
        || !find("orphan", it.name, "an answer that does not exist"))
      return {};
    return mend([&](redis_group& group) {
      group.changes.expect(redis_key::answers, it.name, "");
      group.changes.remove(redis_key::forget, it.name);
    });
  };
  return look_at(redis_key::forget, "ZSCAN", ask, judge);
}

/// No job has a number that is yet to be given. Those of a state stand in
/// order.
result<void> redis_audit::sequence() {
  std::vector<redis_args> commands{{"HGET", name_of(redis_key::meta), "seq"}};
  for (std::size_t i = 0; i < job_state_count; ++i)
    commands.push_back({"ZREVRANGEBYLEX", name_of(redis_key::states),
                        keep("(" + state_prefix(static_cast<job_state>(i + 1))),
                        keep("[" + state_prefix(static_cast<job_state>(i))),
                        "LIMIT", "0", "1"});
  const auto replies = at_once(std::move(commands));
  if (!replies)
    return replies.error();
  const auto newest = text_at(**replies, 0);
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < job_state_count; ++i) {
    const auto& of_state = *(*replies)->element[1 + i];
    if (const auto last = text_at(of_state, 0);
        last.size() > state_prefix_size + 8)
      highest = std::max(highest, ordered_in(last.substr(state_prefix_size)));
  }
  if (static_cast<std::uint64_t>(number_at(**replies, 0)) >= highest
      || !find("sequence", "jobs", "numbers are given twice"))
    return {};
  return mend([&](redis_group& group) {
    group.changes.expect(redis_key::meta, "seq", newest);
    group.changes.set(redis_key::meta, "seq", std::to_string(highest));
  });
}

} // namespace troupe::store
