#include "tests/store/reference_model.hpp"

/// What operations do to a job of the model.
namespace troupe::store::testing {

void reference_model::end(entry& it, job_state state) {
  it.state = state;
  it.leased = false;
  it.publishing = false;
  it.pausing = false;
  ++it.revision;
}

void reference_model::give_back(entry& it) {
  it.free = true;
  if (it.state == job_state::cancelling)
    return end(it, job_state::cancelled);
  end(it, it.pausing ? job_state::paused : job_state::queued);
}

void reference_model::lose(entry& it) {
  if (it.state == job_state::cancelling)
    return give_back(it);
  ++it.errors;
  if (++it.losses == 11)
    return end(it, job_state::failed);
  give_back(it);
}

seen_answer reference_model::ended(const entry& it, const fence& proof) {
  const bool own = it.fence == proof && !it.leased && proof.nonce != 0
                   && it.state != job_state::succeeded;
  return answer(own ? errc::none : errc::stale_fence, false, false, it);
}

seen_answer reference_model::outcome(entry& it, const succeed_op& op) {
  if (it.state == job_state::succeeded && it.fence == op.fence)
    return answer(errc::none, false, false, it);
  if (!it.leased || it.fence != op.fence)
    return answer(errc::stale_fence, false, false, it);
  if (it.state == job_state::cancelling)
    return answer(errc::invalid_state, false, false, it);
  end(it, job_state::succeeded);
  return changed(it);
}

seen_answer reference_model::outcome(entry& it, const fail_op& op) {
  if (!it.leased || it.fence != op.fence)
    return ended(it, op.fence);
  if (it.publishing)
    return answer(errc::invalid_state, false, false, it);
  if (it.state == job_state::cancelling) {
    end(it, job_state::cancelled);
    return changed(it);
  }
  ++it.errors;
  if (!op.retryable || it.attempt == it.draft.max_attempts) {
    end(it, job_state::failed);
    return changed(it);
  }
  it.ready = {now_.first + std::int64_t(it.draft.backoff.initial_s * 1000),
              now_.second};
  end(it, it.pausing ? job_state::paused : job_state::scheduled);
  return changed(it);
}

seen_answer reference_model::outcome(entry& it, const commit_op& op) {
  if (it.state == job_state::succeeded && it.fence == op.fence)
    return answer(errc::none, false, false, it);
  if (!it.leased || it.fence != op.fence)
    return answer(errc::stale_fence, false, false, it);
  if (it.state == job_state::cancelling)
    return answer(errc::invalid_state, false, false, it);
  if (it.publishing)
    return answer(errc::none, false, false, it);
  it.publishing = true;
  it.pausing = false;
  ++it.revision;
  return changed(it);
}

seen_answer reference_model::outcome(entry& it, const release_op& op) {
  if (!it.leased || it.fence != op.fence)
    return ended(it, op.fence);
  if (it.publishing) {
    it.lease_until = now_.first;
    return answer(errc::none, false, false, it);
  }
  if (op.reason == release_reason::node_lost) {
    lose(it);
    return changed(it);
  }
  give_back(it);
  return changed(it);
}

seen_answer reference_model::outcome(entry& it, const checkpoint_op& op) {
  if (!it.leased || it.fence != op.fence)
    return answer(errc::stale_fence, false, false, it);
  it.checkpoint = op.checkpoint;
  return answer(errc::none, false, false, it);
}

seen_answer reference_model::outcome(entry& it, const cancel_op&) {
  if (it.state <= job_state::queued || it.state == job_state::paused) {
    end(it, job_state::cancelled);
    return changed(it);
  }
  if (it.state != job_state::running || it.publishing)
    return answer(errc::none, false, false, it);
  it.state = job_state::cancelling;
  it.pausing = false;
  ++it.revision;
  return changed(it);
}

seen_answer reference_model::withdraw(const withdraw_op& op) {
  if (const auto answer = answers_.find(op.scope);
      answer != answers_.end() && answer->second.second.id == op.id)
    answers_.erase(answer);
  const auto at = jobs_.find(op.id);
  if (at == jobs_.end())
    return answer(errc::not_found);
  const auto done = outcome(at->second, cancel_op{op.id});
  if (done.changed && is_terminal(at->second.state))
    jobs_.erase(at);
  return done;
}

seen_answer reference_model::outcome(entry& it, const pause_op&) {
  if (it.state >= job_state::cancelling)
    return answer(errc::invalid_state, false, false, it);
  if (it.publishing || it.pausing || it.state == job_state::paused)
    return answer(errc::none, false, false, it);
  if (it.leased)
    it.pausing = true;
  else
    it.state = job_state::paused;
  ++it.revision;
  return changed(it);
}

seen_answer reference_model::outcome(entry& it, const resume_op&) {
  const bool waits = it.state <= job_state::queued || it.publishing;
  if (waits && it.state < job_state::cancelling)
    return answer(errc::none, false, false, it);
  if (!it.pausing && it.state != job_state::paused)
    return answer(errc::invalid_state, false, false, it);
  if (!it.pausing)
    it.state =
      it.ready.first > now_.first ? job_state::scheduled : job_state::queued;
  it.pausing = false;
  ++it.revision;
  return changed(it);
}

seen_answer reference_model::outcome(entry& it, const retry_op&) {
  const bool over =
    it.state == job_state::failed || it.state == job_state::cancelled;
  if (!over || holder(it.draft.unique_key) != nullptr)
    return answer(errc::invalid_state, false, false, it);
  it.attempt = it.losses = 0;
  it.free = false;
  it.ready = now_;
  end(it, job_state::queued);
  return changed(it);
}

seen_answer reference_model::outcome(entry& it, const purge_op& op) {
  if (!is_terminal(it.state))
    return answer(errc::invalid_state, false, false, it);
  jobs_.erase(op.id);
  return answer(errc::none, true);
}

} // namespace troupe::store::testing
