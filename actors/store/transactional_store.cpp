#include "actors/store/transactional_store.hpp"

#include "actors/store/archive.hpp"
#include "actors/store/batches.hpp"
#include "actors/store/callbacks.hpp"
#include "actors/store/follow.hpp"
#include "actors/store/schedules.hpp"
#include "actors/store/transitions.hpp"
#include "media/job_types.hpp"

#include <algorithm>

namespace troupe::store {

result<follow_result>
transactional_store::follow(const sweep_request& request) {
  follow_result out;
  const auto done = transact(access::add, [&](transaction& in) {
    follow_step(in, options_, request.max, out);
    return errc::none;
  });
  if (!done)
    return done.error();
  return out;
}

// -- many jobs ----------------------------------------------------------------

namespace {

bool takes(bulk_action action, const job& it) {
  switch (action) {
  case bulk_action::retry:
    return it.state == job_state::failed || it.state == job_state::cancelled;
  case bulk_action::cancel:
    return is_waiting(it.state)
           || (it.state == job_state::running && !it.publishing);
  case bulk_action::purge:
    return is_terminal(it.state);
  }
  return false;
}

operation operation_of(bulk_action action, const std::string& id) {
  if (action == bulk_action::retry)
    return retry_op{id};
  if (action == bulk_action::cancel)
    return cancel_op{id};
  return purge_op{id};
}

} // namespace

result<bulk_result> transactional_store::bulk(const bulk_request& request) {
  auto query = request.filter;
  query.page_size = std::clamp(request.max, 1u, 1000u);
  query.page_token = request.cursor;
  auto page = list(query);
  if (!page)
    return page.error();
  bulk_result out;
  out.next_cursor = page->next_page_token;
  std::erase_if(page->jobs,
                [&](const job& it) { return !takes(request.action, it); });
  out.matched = page->jobs.size();
  if (request.dry_run || page->jobs.empty())
    return out;
  std::vector<operation> ops;
  for (const auto& it : page->jobs)
    ops.push_back(operation_of(request.action, it.id));
  auto answers = apply(ops);
  if (!answers)
    return answers.error();
  for (std::size_t i = 0; i < ops.size(); ++i) {
    auto& done = (*answers)[i];
    out.follow = out.follow || done.follow;
    if (done.changed)
      out.changed.push_back(request.action == bulk_action::purge
                              ? std::move(page->jobs[i])
                              : std::move(done.job));
  }
  return out;
}

// -- schedules, callbacks, logs -----------------------------------------------

result<std::vector<schedule>> transactional_store::schedules() {
  std::vector<schedule> all;
  const auto done = transact(access::read, [&](transaction& in) {
    all = read_schedules(in);
    return errc::none;
  });
  if (!done)
    return done.error();
  return all;
}

result<schedule> transactional_store::get_schedule(const std::string& name) {
  std::optional<schedule> found;
  const auto done = transact(access::read, [&](transaction& in) {
    found = read_schedule(name, in);
    return errc::none;
  });
  if (!done)
    return done.error();
  if (!found)
    return fail(errc::not_found, name);
  return std::move(*found);
}

result<std::vector<callback>>
transactional_store::take_callbacks(std::uint32_t max) {
  std::vector<callback> taken;
  const auto done = transact(access::write, [&](transaction& in) {
    taken = store::take_callbacks(std::min<std::size_t>(max, 256), in);
    return errc::none;
  });
  if (!done)
    return done.error();
  return taken;
}

result<std::vector<callback>>
transactional_store::dead_callbacks(const std::string& after,
                                    std::uint32_t max) {
  std::vector<callback> found;
  const auto done = transact(access::read, [&](transaction& in) {
    found = store::dead_callbacks(after, std::min<std::size_t>(max, 1000), in);
    return errc::none;
  });
  if (!done)
    return done.error();
  return found;
}

result<void> transactional_store::retry_callback(const std::string& id) {
  return transact(access::write, [&](transaction& in) {
    return store::retry_callback(id, in);
  });
}

result<std::string> transactional_store::log_of(const std::string& id) {
  std::string text;
  const auto done = transact(access::read, [&](transaction& in) {
    if (const auto found = in.find(id); !found)
      return found.error;
    text = in.read(record_kind::log, id).value_or(std::string{});
    return errc::none;
  });
  if (!done)
    return done.error();
  return text;
}

// -- limits -------------------------------------------------------------------

result<std::vector<queue_info>> transactional_store::queues() {
  auto known = depths();
  if (!known)
    return known.error();
  // One that has never held a job may be limited all the same.
  for (const auto& type : media::job_types())
    if (std::ranges::find(*known, type.queue, &queue_depth::queue)
        == known->end())
      known->emplace_back().queue = type.queue;
  std::vector<queue_info> found;
  const auto done = transact(access::read, [&](transaction& in) {
    found.clear();
    for (const auto& it : *known) {
      const auto limit = in.limit(flow_name_of_queue(it.queue));
      found.push_back({it, limit.paused, limit.concurrency, limit.rate_per_s,
                       limit.key_concurrency, 0});
    }
    return errc::none;
  });
  if (!done)
    return done.error();
  return found;
}

result<key_limit> transactional_store::limit_of(const std::string& key) {
  key_limit found;
  const auto done = transact(access::read, [&](transaction& in) {
    const auto limit = in.limit(flow_name_of_key(key));
    found = {key, limit.concurrency, limit.rate_per_s};
    return errc::none;
  });
  if (!done)
    return done.error();
  return found;
}

} // namespace troupe::store
