#include "fake_gateway.hpp"

namespace troupe::net {

template <class T>
void fake_gateway::give(actors::reply_to<T> reply, result<T> answer) {
  std::unique_lock lock{mutex_};
  if (fault_)
    answer = failure{fault_, {}};
  auto call = [reply = std::move(reply), answer = std::move(answer)]() mutable {
    reply(std::move(answer));
  };
  if (hold_) {
    held_.emplace_back(std::move(call));
  } else if (elsewhere_) {
    threads_.emplace_back(std::move(call));
  } else {
    lock.unlock();
    call();
  }
}

void fake_gateway::fail_with(std::error_code code) {
  std::lock_guard lock{mutex_};
  fault_ = code;
}

void fake_gateway::hold() {
  std::lock_guard lock{mutex_};
  hold_ = true;
}

void fake_gateway::release() {
  std::vector<std::function<void()>> calls;
  {
    std::lock_guard lock{mutex_};
    hold_ = false;
    calls.swap(held_);
  }
  for (auto& call : calls)
    call();
}

void fake_gateway::answer_elsewhere() {
  std::lock_guard lock{mutex_};
  elsewhere_ = true;
}

std::size_t fake_gateway::held() {
  std::lock_guard lock{mutex_};
  return held_.size();
}

std::vector<store::submit_op> fake_gateway::submits() {
  std::lock_guard lock{mutex_};
  return submits_;
}

std::vector<store::list_query> fake_gateway::lists() {
  std::lock_guard lock{mutex_};
  return lists_;
}

void fake_gateway::add(store::job job) {
  std::lock_guard lock{mutex_};
  jobs_[job.id] = std::move(job);
}

result<actors::submit_reply> fake_gateway::submit_now(store::submit_op op) {
  std::lock_guard lock{mutex_};
  submits_.push_back(op);
  const auto& [scope, hash] = op.idempotency;
  if (const auto at = answered_.find(scope);
      !scope.empty() && at != answered_.end()) {
    if (at->second.first != hash)
      return fail(store::errc::idempotency_mismatch);
    return actors::submit_reply{at->second.second, false, true};
  }
  for (const auto& [id, job] : jobs_)
    if (!op.draft.unique_key.empty() && job.unique_key == op.draft.unique_key)
      return actors::submit_reply{job, false, false};
  store::job job;
  static_cast<store::job_draft&>(job) = std::move(op.draft);
  job.id = "job-" + std::to_string(jobs_.size() + 1);
  job.created_at = 1'700'000'000'000;
  jobs_[job.id] = job;
  answered_[scope] = {hash, job};
  return actors::submit_reply{job, true, false};
}

result<store::job> fake_gateway::find(const std::string& id) {
  std::lock_guard lock{mutex_};
  const auto at = jobs_.find(id);
  if (at == jobs_.end())
    return fail(store::errc::not_found);
  return at->second;
}

void fake_gateway::submit(store::submit_op op,
                          actors::reply_to<actors::submit_reply> reply) {
  give(std::move(reply), submit_now(std::move(op)));
}

void fake_gateway::command(actors::job_command_kind kind, std::string id,
                           actors::reply_to<store::job> reply) {
  auto job = find(id);
  if (job && kind == actors::job_command_kind::cancel)
    job->state = store::job_state::cancelled;
  else if (job && !store::is_terminal(job->state))
    job = fail(store::errc::invalid_state);
  give(std::move(reply), std::move(job));
}

void fake_gateway::get(std::string id, actors::reply_to<store::job> reply) {
  give(std::move(reply), find(id));
}

void fake_gateway::list(store::list_query query,
                        actors::reply_to<store::job_page> reply) {
  result<store::job_page> page{store::job_page{{}, "next"}};
  {
    std::lock_guard lock{mutex_};
    for (const auto& [id, job] : jobs_)
      page->jobs.push_back(job);
    if (query.page_token == "bad")
      page = fail(store::errc::bad_page_token);
    lists_.push_back(std::move(query));
  }
  give(std::move(reply), std::move(page));
}

void fake_gateway::depths(
  actors::reply_to<std::vector<store::queue_depth>> reply) {
  store::queue_depth bulk{"bulk", {}, 1500};
  bulk.by_state[static_cast<std::size_t>(store::job_state::queued)] = 7;
  give<std::vector<store::queue_depth>>(std::move(reply), {{bulk}});
}

void fake_gateway::extract(std::string url,
                           actors::reply_to<actors::extract_reply> reply) {
  give<actors::extract_reply>(
    std::move(reply), actors::extract_reply{R"({"title":")" + url + "\"}"});
}

void fake_gateway::figures(actors::reply_to<actors::hub_figures> reply) {
  give<actors::hub_figures>(std::move(reply), actors::hub_figures{});
}

std::unique_ptr<actors::client_port>
fake_gateway::open_client(std::shared_ptr<actors::client_sink>) {
  return nullptr;
}

} // namespace troupe::net
