#include "actors/store/audit_rules.hpp"
#include "actors/store/redis_audit.hpp"
#include "actors/store/redis_reply.hpp"

/// Limits of queues and keys, and the clock by which leases expire.
namespace troupe::store {

namespace {

/// A limit is read a moment before its token, and by another clock at first.
constexpr std::int64_t clocks_differ_ms = 1000;

} // namespace

result<void> redis_audit::limits() {
  auto page = scan(redis_key::limits, "HSCAN");
  if (!page)
    return page.error();
  for (std::size_t i = 0; i + 1 < page->size(); i += 2)
    if (auto done = check_limit((*page)[i]); !done)
      return done;
  return next_ == "0" ? clock() : result<void>{};
}

/// There are few of them: each is read again, and written if it is as it was.
result<void> redis_audit::check_limit(const std::string& name) {
  redis_group group{client_, options_};
  group.need_limit(name);
  group.need({"HGET", name_of(redis_key::limits), name});
  if (auto read = group.read(); !read)
    return read;
  const auto& stored = group.extra(0);
  flow_limit mended;
  if (!is_text(stored))
    return {};
  const auto wrong = wrong_in_limit(text_of(stored), group.now(), mended);
  if (wrong.empty() || !find("limit", name, std::string{wrong}))
    return {};
  if (!name.empty())
    group.put_limit(name, mended);
  else
    group.changes.remove(redis_key::limits, name);
  return mend(group);
}

/// What waits for a rate is let go when a token returns.
result<void> redis_audit::tokens() {
  auto page = scan(redis_key::tokens, "ZSCAN");
  if (!page)
    return page.error();
  for (std::size_t i = 0; i + 1 < page->size(); i += 2)
    if (auto done = check_token((*page)[i]); !done)
      return done;
  return {};
}

/// Let go too early, it waits again; too late, and it waits for nothing.
result<void> redis_audit::check_token(const std::string& name) {
  redis_group group{client_, options_};
  group.need_limit(name);
  group.need({"ZSCORE", name_of(redis_key::tokens), name});
  if (auto read = group.read(); !read)
    return read;
  const auto& stored = group.extra(0);
  const auto latest =
    std::max(group.now(), next_token(group.limit(name))) + clocks_differ_ms;
  const bool in_time = number_of(stored) <= latest
                       && text_of(stored).find("inf") == std::string_view::npos;
  if (!is_text(stored) || in_time
      || !find("token", name, "it returns later than its rate tells"))
    return {};
  group.changes.add(redis_key::tokens, name, group.now());
  return mend(group);
}

/// Leases that expire late are better than some that expire early. Without a
/// clock none does until it is written, by the next renewal.
result<void> redis_audit::clock() {
  redis_group group{client_, options_};
  if (auto read = group.read(); !read)
    return read;
  if (!is_ahead(group.alive(), group.now())
      || !find("clock", "leases", "it goes ahead of time"))
    return {};
  group.reset_clock();
  return mend(group);
}

} // namespace troupe::store
