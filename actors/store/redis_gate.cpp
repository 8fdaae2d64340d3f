#include "actors/store/redis_gate.hpp"

#include "actors/store/redis_reply.hpp"

namespace troupe::store {

redis_gate::redis_gate(redis_group& group, std::string_view queue,
                       bool expects_limits)
  : group_{group}, queue_name_{flow_name_of_queue(queue)},
    expects_limits_{expects_limits}, gate_{{}, 0} {
  // nop
}

std::size_t redis_gate::need_queue() {
  group_.need_limit(queue_name_);
  group_.need({"HGET", name_of(redis_key::running), queue_name_});
  group_.need({"ZRANGE", name_of(redis_key::tokens), "0", "0", "WITHSCORES"});
  return 2;
}

void redis_gate::take_queue(std::size_t at) {
  const flow_state queue{group_.limit(queue_name_),
                         number_of(group_.extra(at))};
  gate_ = flow_gate{queue, group_.now()};
  first_due_ = number_at(group_.extra(at + 1), 1);
  come_back(first_due_);
  come_back(gate_.returns_at(gate_.queue()));
}

bool redis_gate::has_due() const {
  return first_due_ != 0 && first_due_ <= group_.now();
}

void redis_gate::come_back(timestamp_ms at) {
  if (at != 0 && (next_at_ == 0 || at < next_at_))
    next_at_ = at;
}

void redis_gate::need_groups(std::span<const std::string> lanes) {
  asked_.clear();
  if (!limits())
    return;
  for (const auto& lane : lanes) {
    auto key = key_of_lane(lane);
    if (!key.empty() && known_.insert(key).second)
      asked_.push_back(std::move(key));
  }
  redis_args counts{"HMGET", name_of(redis_key::running)};
  for (const auto& key : asked_) {
    const auto& name = texts_.emplace_back(flow_name_of_key(key));
    group_.need_limit(name);
    counts.push_back(name);
  }
  if (!asked_.empty())
    group_.need(std::move(counts));
}

void redis_gate::take_groups(std::size_t at) {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    const auto limit = group_.limit(flow_name_of_key(asked_[i]));
    gate_.learn(asked_[i], limit.is_idle() ? nullptr : &limit,
                number_at(group_.extra(at), i));
  }
}

void redis_gate::park(std::string_view lane, const std::string& key) {
  const auto& it = *gate_.find(key);
  const auto until = gate_.returns_at(it);
  const auto name = flow_name_of_key(key);
  group_.changes.park(lane, name, until == 0 ? it.state.limit.concurrency : 0);
  if (until == 0)
    return;
  group_.changes.add(redis_key::tokens, name, until);
  come_back(until);
}

void redis_gate::write() {
  if (!limits())
    return;
  group_.expect_limits();
  const auto write_one = [&](const std::string& name,
                             const flow_gate::group& it) {
    const auto& limit = it.state.limit;
    if (it.taken == 0)
      return;
    if (limit.concurrency != 0)
      group_.changes.bound(name, limit.concurrency);
    if (limit.rate_per_s > 0)
      group_.save_limit(name, gate_.after(it));
  };
  write_one(queue_name_, gate_.queue());
  for (const auto& [key, it] : gate_.groups())
    write_one(flow_name_of_key(key), it);
  come_back(gate_.returns_at(gate_.queue()));
}

} // namespace troupe::store
