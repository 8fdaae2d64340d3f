#include "tests/store/reference_model.hpp"

#include <algorithm>
#include <tuple>

namespace troupe::store::testing {

seen_job seen(const job& it) {
  return {it.id,    it.state,      it.attempt, it.losses,        it.revision,
          it.fence, it.publishing, it.pausing, it.errors.size(), it.checkpoint};
}

seen_answer reference_model::changed(const entry& it) {
  return answer(errc::none, true, false, it);
}

seen_answer reference_model::apply(const operation& op) {
  if (const auto* fresh = std::get_if<submit_op>(&op))
    return submit(*fresh);
  if (const auto* limit = std::get_if<put_queue_op>(&op))
    return put(*limit);
  if (const auto* limit = std::get_if<put_limit_op>(&op))
    return put(*limit);
  if (const auto* refused = std::get_if<withdraw_op>(&op))
    return withdraw(*refused);
  return std::visit(
    [this](const auto& one) -> seen_answer {
      if constexpr (requires(entry & it) { outcome(it, one); }) {
        const auto at = jobs_.find(one.id);
        if (at != jobs_.end())
          return outcome(at->second, one);
      }
      return answer(errc::not_found);
    },
    op);
}

seen_answer reference_model::put(const put_queue_op& op) {
  auto& it = queues_[op.queue];
  const auto before =
    std::tuple(it.paused, it.concurrency, it.rate, it.each_key);
  it.paused = op.paused.value_or(it.paused);
  it.concurrency = op.concurrency.value_or(it.concurrency);
  it.rate = op.rate_per_s.value_or(it.rate);
  it.each_key = op.key_concurrency.value_or(it.each_key);
  if (it.rate == 0)
    it.next = 0;
  return answer(
    errc::none,
    before != std::tuple(it.paused, it.concurrency, it.rate, it.each_key));
}

seen_answer reference_model::put(const put_limit_op& op) {
  auto& it = keys_[op.key];
  const auto before = std::tuple(it.concurrency, it.rate);
  it.concurrency = op.concurrency;
  it.rate = op.rate_per_s;
  if (it.rate == 0)
    it.next = 0;
  return answer(errc::none, before != std::tuple(it.concurrency, it.rate));
}

bool reference_model::lets_through(const entry& it) {
  const auto& key = it.draft.concurrency_key;
  const auto running = [&](auto same) {
    return std::ranges::count_if(jobs_, [&](const auto& other) {
      return other.second.leased && same(other.second.draft);
    });
  };
  const auto is_full = [&](const flow& by, auto same) {
    return by.paused || (by.rate > 0 && now_.first < by.next)
           || (by.concurrency != 0 && running(same) >= by.concurrency);
  };
  const auto& queue = queues_[it.draft.queue];
  if (is_full(queue, [&](const auto& d) { return d.queue == it.draft.queue; }))
    return false;
  if (key.empty())
    return true;
  auto own = keys_[key];
  if (own.concurrency == 0 && own.rate == 0)
    own.concurrency = queue.each_key;
  return !is_full(own, [&](const auto& d) { return d.concurrency_key == key; });
}

seen_answer reference_model::submit(const submit_op& op) {
  const auto& [scope, hash] = op.idempotency;
  if (const auto at = answers_.find(scope); at != answers_.end())
    return at->second.first == hash
             ? answer(errc::none, false, true, at->second.second)
             : answer(errc::idempotency_mismatch);
  auto first = add(op.draft);
  if (!scope.empty())
    answers_[scope] = {hash, first.job};
  return first;
}

seen_answer reference_model::add(const job_draft& draft) {
  if (const auto* open = holder(draft.unique_key))
    return answer(errc::none, false, false, *open);
  if (const auto at = jobs_.find(draft.id); at != jobs_.end())
    return answer(errc::none, false, false, at->second);
  auto& it = jobs_[draft.id];
  it.id = draft.id;
  it.draft = draft;
  it.seq = ++seq_;
  it.revision = 1;
  it.created = now_;
  it.ready = {now_.first + draft.delay_ms, now_.second};
  it.state = draft.delay_ms > 0 ? job_state::scheduled : job_state::queued;
  return changed(it);
}

reference_model::entry* reference_model::holder(const std::string& key) {
  for (auto& [id, it] : jobs_)
    if (!key.empty() && it.draft.unique_key == key && !is_terminal(it.state))
      return &it;
  return nullptr;
}

void reference_model::promote(std::set<std::string>& into) {
  for (auto& [id, it] : jobs_)
    if (it.state == job_state::scheduled && it.ready.first <= now_.first) {
      it.state = job_state::queued;
      ++it.revision;
      into.insert(id);
    }
}

reference_model::entry* reference_model::best(const std::string& queue) {
  entry* found = nullptr;
  const auto place = [](const entry& it) {
    const bool waited_for = it.draft.deadline_ms > 0;
    return std::tuple(!waited_for,
                      waited_for ? it.created.first + it.draft.deadline_ms
                                 : it.ready.first - it.draft.priority * 60'000,
                      waited_for ? it.created.second : it.ready.second, it.seq);
  };
  for (auto& [id, it] : jobs_)
    if (it.state == job_state::queued && it.draft.queue == queue
        && lets_through(it) && (found == nullptr || place(it) < place(*found)))
      found = &it;
  return found;
}

std::vector<seen_job> reference_model::claim(const claim_request& request) {
  std::set<std::string> promoted;
  promote(promoted);
  std::vector<seen_job> leased;
  while (leased.size() < request.max) {
    auto* it = best(request.queue);
    if (it == nullptr || (request.urgent && it->draft.deadline_ms == 0))
      break;
    for (auto* limit :
         {&queues_[request.queue], &keys_[it->draft.concurrency_key]})
      if (limit->rate > 0)
        limit->next = now_.first + std::int64_t(1000 / limit->rate);
    it->state = job_state::running;
    it->leased = true;
    it->fence = {it->fence.epoch + 1, request.nonce};
    it->lease_until = now_.first + request.lease_ms;
    it->node = request.node;
    it->attempt += it->free ? 0 : 1;
    it->free = false;
    ++it->revision;
    leased.push_back(*it);
  }
  return leased;
}

std::vector<errc>
reference_model::renew(const std::vector<held_lease>& leases) {
  if (now_.first - alive_ > lease_ / 2)
    grace_ = now_.first + lease_;
  alive_ = now_.first;
  std::vector<errc> answers;
  for (const auto& lease : leases) {
    const auto at = jobs_.find(lease.id);
    if (at == jobs_.end() || !at->second.leased
        || at->second.fence != lease.fence) {
      answers.push_back(errc::stale_fence);
      continue;
    }
    at->second.lease_until = now_.first + lease_;
    answers.push_back(at->second.pausing ? errc::pausing
                      : at->second.state == job_state::cancelling
                        ? errc::invalid_state
                        : errc::none);
  }
  return answers;
}

reference_model::swept reference_model::sweep(const sweep_request& request) {
  swept out;
  promote(out[0]);
  if (now_.first - alive_ > lease_ / 2 || now_.first < grace_)
    return out;
  for (auto& [id, it] : jobs_) {
    if (!it.leased || it.lease_until > now_.first)
      continue;
    if (!it.publishing) {
      lose(it);
      out[1].insert(id);
      continue;
    }
    it.fence = {it.fence.epoch + 1, request.nonce};
    it.lease_until = now_.first + request.lease_ms;
    it.node = request.node;
    ++it.revision;
    out[2].insert(id);
  }
  return out;
}

reference_model::swept reference_model::adopt(const sweep_request& request) {
  swept out;
  for (auto& [id, it] : jobs_) {
    if (!it.leased || it.node != request.node
        || it.fence.nonce == request.nonce)
      continue;
    if (it.publishing) {
      it.fence = {it.fence.epoch + 1, request.nonce};
      it.lease_until = now_.first + request.lease_ms;
      ++it.revision;
      out[2].insert(id);
      continue;
    }
    give_back(it);
    out[1].insert(id);
  }
  return out;
}

std::vector<seen_job> reference_model::all_newest_first() const {
  std::vector<const entry*> order;
  for (const auto& [id, it] : jobs_)
    order.push_back(&it);
  std::ranges::sort(order, std::greater{}, &entry::seq);
  std::vector<seen_job> all;
  for (const auto* it : order)
    all.push_back(*it);
  return all;
}

} // namespace troupe::store::testing
