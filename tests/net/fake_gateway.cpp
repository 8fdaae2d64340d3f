#include "fake_gateway.hpp"

namespace troupe::net {

template <class T>
void fake_gateway::give(actors::reply_to<T> reply, result<T> answer) {
  std::unique_lock lock{mutex_};
  if (fault_.code)
    answer = fault_;
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

void fake_gateway::fail_with(std::error_code code, std::string detail) {
  std::lock_guard lock{mutex_};
  fault_ = {code, std::move(detail)};
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
    return actors::submit_reply{at->second.second, true, true};
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
  else if (job && kind == actors::job_command_kind::pause)
    job->state = store::job_state::paused;
  else if (job && kind == actors::job_command_kind::resume)
    job->state = store::job_state::queued;
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

std::vector<store::operation> fake_gateway::changes() {
  std::lock_guard lock{mutex_};
  return changes_;
}

std::vector<store::bulk_request> fake_gateway::bulks() {
  std::lock_guard lock{mutex_};
  return bulks_;
}

void fake_gateway::lose_logs(int requests) {
  const std::lock_guard lock{mutex_};
  lost_logs_ = requests;
}

void fake_gateway::set_log(actors::log_reply log) {
  std::lock_guard lock{mutex_};
  log_ = std::move(log);
}

void fake_gateway::queues(
  actors::reply_to<std::vector<store::queue_info>> reply) {
  std::vector<store::queue_info> all;
  {
    std::lock_guard lock{mutex_};
    all.push_back(bulk_queue_);
  }
  auto& bulk = all.front();
  bulk.queue = "bulk";
  bulk.oldest_age_ms = 1500;
  bulk.by_state[static_cast<std::size_t>(store::job_state::queued)] = 7;
  give<std::vector<store::queue_info>>(std::move(reply), std::move(all));
}

void fake_gateway::log(std::string id,
                       actors::reply_to<actors::log_reply> reply) {
  auto job = find(id);
  std::unique_lock lock{mutex_};
  auto log = log_;
  const bool lost = lost_logs_ > 0;
  lost_logs_ -= lost;
  lock.unlock();
  if (lost)
    give<actors::log_reply>(std::move(reply), fail(store::errc::unavailable));
  else if (job)
    give<actors::log_reply>(std::move(reply), std::move(log));
  else
    give<actors::log_reply>(std::move(reply), job.error());
}

void fake_gateway::submit_batch(
  store::batch_draft draft, std::vector<store::job_draft> jobs,
  store::idempotency, actors::reply_to<store::batch_submitted> reply) {
  store::batch_submitted done;
  static_cast<store::batch_draft&>(done.batch) = std::move(draft);
  done.batch.total = jobs.size();
  done.batch.created_at = 1'700'000'000'000;
  {
    std::lock_guard lock{mutex_};
    for (auto& draft_of : jobs) {
      done.ids.push_back(draft_of.id);
      store::job job;
      static_cast<store::job_draft&>(job) = std::move(draft_of);
      jobs_[job.id] = std::move(job);
    }
    batches_[done.batch.id] = done.batch;
  }
  give<store::batch_submitted>(std::move(reply), std::move(done));
}

void fake_gateway::batch(std::string id, actors::reply_to<store::batch> reply) {
  result<store::batch> found{fail(store::errc::not_found)};
  {
    std::lock_guard lock{mutex_};
    if (const auto at = batches_.find(id); at != batches_.end())
      found = at->second;
  }
  give(std::move(reply), std::move(found));
}

/// Three steps of two jobs each.
void fake_gateway::bulk(store::bulk_request request,
                        actors::reply_to<store::bulk_result> reply) {
  store::bulk_result done;
  done.matched = 2;
  if (request.cursor.size() < 2)
    done.next_cursor = request.cursor + "x";
  {
    std::lock_guard lock{mutex_};
    bulks_.push_back(std::move(request));
  }
  give<store::bulk_result>(std::move(reply), std::move(done));
}

void fake_gateway::change(store::operation op,
                          actors::reply_to<store::applied> reply) {
  store::applied done;
  done.changed = true;
  {
    std::lock_guard lock{mutex_};
    changes_.push_back(op);
    if (const auto* queue = std::get_if<store::put_queue_op>(&op)) {
      bulk_queue_.paused = queue->paused.value_or(bulk_queue_.paused);
      bulk_queue_.concurrency =
        queue->concurrency.value_or(bulk_queue_.concurrency);
      bulk_queue_.rate_per_s =
        queue->rate_per_s.value_or(bulk_queue_.rate_per_s);
    } else if (const auto* limit = std::get_if<store::put_limit_op>(&op)) {
      limits_[limit->key] = {limit->key, limit->concurrency, limit->rate_per_s};
    } else if (auto* put = std::get_if<store::put_schedule_op>(&op)) {
      schedules_[put->schedule.name] = put->schedule;
    } else if (const auto* drop = std::get_if<store::drop_schedule_op>(&op)) {
      if (schedules_.erase(drop->name) == 0)
        done.error = store::errc::not_found;
    }
  }
  give<store::applied>(std::move(reply), std::move(done));
}

void fake_gateway::schedules(
  actors::reply_to<std::vector<store::schedule>> reply) {
  std::vector<store::schedule> all;
  {
    std::lock_guard lock{mutex_};
    for (const auto& [name, it] : schedules_)
      all.push_back(it);
  }
  give<std::vector<store::schedule>>(std::move(reply), std::move(all));
}

void fake_gateway::schedule(std::string name,
                            actors::reply_to<store::schedule> reply) {
  result<store::schedule> found{fail(store::errc::not_found)};
  {
    std::lock_guard lock{mutex_};
    if (const auto at = schedules_.find(name); at != schedules_.end())
      found = at->second;
  }
  give(std::move(reply), std::move(found));
}

void fake_gateway::limit(std::string key,
                         actors::reply_to<store::key_limit> reply) {
  store::key_limit found{key, 0, 0};
  {
    std::lock_guard lock{mutex_};
    if (const auto at = limits_.find(key); at != limits_.end())
      found = at->second;
  }
  give<store::key_limit>(std::move(reply), std::move(found));
}

void fake_gateway::dead_callbacks(
  std::string after, std::uint32_t,
  actors::reply_to<std::vector<store::callback>> reply) {
  std::vector<store::callback> dead;
  if (after.empty()) {
    auto& it = dead.emplace_back();
    it.id = "job-1.finished";
    it.subject = "job-1";
    it.type = "job.failed";
    it.url = "https://example.org/hook";
    it.attempts = 12;
    it.error = "the receiver answered 500";
    it.created_at = 1'700'000'000'000;
  }
  give<std::vector<store::callback>>(std::move(reply), std::move(dead));
}

void fake_gateway::retry_callback(std::string id,
                                  actors::reply_to<bool> reply) {
  result<bool> done{true};
  if (id != "job-1.finished")
    done = fail(store::errc::not_found);
  give(std::move(reply), std::move(done));
}

void fake_gateway::extract(std::string url,
                           actors::reply_to<actors::extract_reply> reply) {
  give<actors::extract_reply>(
    std::move(reply), actors::extract_reply{R"({"title":")" + url + "\"}"});
}

void fake_gateway::nodes(actors::reply_to<actors::nodes_reply> reply) {
  actors::nodes_reply all;
  auto& node = all.nodes.emplace_back();
  node.id = "n1";
  node.role = "head";
  node.host.cores = 2;
  node.host.started = 1000;
  node.host.disks = {{"library", "/l", 100, 50}};
  node.pools.emplace_back().name = "bulk";
  all.alerts.emplace_back().id = "disk_low:library";
  give<actors::nodes_reply>(std::move(reply), std::move(all));
}

void fake_gateway::figures(actors::reply_to<actors::hub_figures> reply) {
  give<actors::hub_figures>(std::move(reply), actors::hub_figures{});
}

std::unique_ptr<actors::client_port>
fake_gateway::open_client(std::shared_ptr<actors::client_sink>) {
  return nullptr;
}

} // namespace troupe::net
