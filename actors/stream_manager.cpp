#include "actors/stream_manager.hpp"

#include "config/log.hpp"
#include "config/metrics.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

namespace {

using namespace std::chrono_literals;

constexpr unsigned retry_s = 5;
/// Answers of POSTs that may be repeated.
constexpr std::size_t most_keys = 10'000;
constexpr auto keys_live = 24h;
constexpr std::size_t most_loading = 256;

failure too_many(std::string why) {
  return failure{{static_cast<int>(retry_s), overload_category()},
                 std::move(why)};
}

template <class Actor>
void dismiss(const Actor& whom) {
  if (whom)
    caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
}

} // namespace

stream_manager::~stream_manager() {
  for (const auto& [id, it] : sessions_)
    dismiss(it.actor);
  dismiss(registry_);
}

/// Without its registry it is nothing: the root replaces both, and sessions
/// come back from their records.
void stream_manager::start(stream_options options) {
  options_ = std::move(options);
  registry_ = self_->spawn<caf::monitored>(registry, options_.registry);
  options_.sessions.registry = registry_;
  options_.sessions.promise = [self = caf::actor_cast<stream_impl>(self_)](
                                const std::string& id, std::uint64_t bits) {
    caf::anon_send(self, stream_promise{id, bits});
  };
  options_.sessions.release =
    [self = caf::actor_cast<stream_impl>(self_)](const std::string& id) {
      caf::anon_send(self, stream_release{id});
    };
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  show();
}

// -- opening ------------------------------------------------------------------

void stream_manager::open(stream_open& open) {
  if (replay(open))
    return;
  if (auto why = refuse(open.ask.owner)) {
    if (options_.sessions.metrics)
      options_.sessions.metrics->stream_asked("refused", 0);
    return open.reply(*why);
  }
  session_options fresh;
  const auto now = options_.sessions.wall();
  fresh.record.id = ids_.mint(now);
  fresh.record.owner = open.ask.owner;
  fresh.record.created_at = now;
  const auto& settings = *options_.sessions.settings;
  fresh.record.expires_at =
    now
    + static_cast<timestamp_ms>(
      1000 * std::min(settings.idle_timeout_s, settings.max_age_s));
  fresh.wish = std::move(open.ask.wish);
  fresh.reply = std::move(open.reply);
  remember(open.ask.key, fresh.record.id);
  add(std::move(fresh));
}

/// The same POST again leads to the stream that the first has opened.
bool stream_manager::replay(stream_open& open) {
  const auto& key = open.ask.key;
  const auto now = self_->clock().now();
  while (!keys_.empty() && keys_.front().until < now)
    keys_.pop_front();
  const auto before = std::ranges::find(keys_, key.scope, &kept_key::scope);
  if (key.scope.empty() || before == keys_.end())
    return false;
  if (before->body_hash != key.body_hash) {
    open.reply(fail(store::errc::idempotency_mismatch));
    return true;
  }
  if (!sessions_.contains(before->id))
    return false;
  stream_call call;
  call.id = before->id;
  call.reply = answer<stream_view>{
    [self = caf::actor_cast<stream_impl>(self_), ask = open.ask,
     reply = std::move(open.reply)](result<stream_view> told) {
      // It was closed meanwhile, and let go before it said so.
      if (!told && told.error().code == store::errc::not_found)
        return caf::anon_send(self, stream_open{ask, reply});
      if (told)
        told->replayed = true;
      reply(std::move(told));
    }};
  pass(call, call.id);
  return true;
}

void stream_manager::remember(const store::idempotency& key,
                              const std::string& id) {
  if (key.scope.empty())
    return;
  std::erase_if(keys_,
                [&](const kept_key& it) { return it.scope == key.scope; });
  if (keys_.size() == most_keys)
    keys_.pop_front();
  keys_.push_back(
    {key.scope, key.body_hash, id, self_->clock().now() + keys_live});
}

std::optional<failure> stream_manager::refuse(const std::string& owner) const {
  constexpr std::uint64_t megabit = 1'000'000;
  const auto& settings = *options_.sessions.settings;
  if (sessions_.size() >= settings.max_sessions)
    return too_many("there are as many streams as there may be");
  std::uint64_t bits = 0, owned_bits = 0;
  std::uint32_t owned = 0;
  for (const auto& [id, it] : sessions_) {
    bits += it.bits;
    owned += it.owner == owner;
    owned_bits += it.owner == owner ? it.bits : 0;
  }
  if (settings.max_per_owner > 0 && owned >= settings.max_per_owner)
    return too_many("you have as many streams as you may have");
  if (settings.bandwidth_mbit > 0 && bits >= settings.bandwidth_mbit * megabit)
    return too_many("streams take all the bandwidth that they may");
  if (settings.owner_mbit > 0 && owned_bits >= settings.owner_mbit * megabit)
    return too_many("your streams take all the bandwidth that they may");
  return std::nullopt;
}

void stream_manager::add(session_options options) {
  options.parts = options_.sessions;
  auto& it = sessions_[options.record.id];
  it.owner = options.record.owner;
  it.actor = caf::actor_cast<session_actor>(
    self_->spawn<caf::monitored>(session, std::move(options)));
  show();
}

// -- what is asked of one -----------------------------------------------------

void stream_manager::list(const stream_list& list) {
  auto all = std::make_shared<stream_gathering>(list.reply);
  for (const auto& [id, it] : sessions_)
    self_->send(it.actor, stream_census{all});
}

/// On to its session; of one that is not open here the store may know.
template <class Message>
void stream_manager::pass(Message& message, const std::string& id) {
  if (const auto found = sessions_.find(id); found != sessions_.end())
    return self_->send(found->second.actor, std::move(message));
  const auto which = id; // the message is moved from
  if (const auto waits = loading_.find(which); waits != loading_.end()) {
    waits->second.emplace_back(std::move(message));
    return;
  }
  if (!options_.get || loading_.size() == most_loading)
    return message.reply(options_.get
                           ? too_many("too many streams are looked for")
                           : fail(store::errc::not_found, "no such stream"));
  loading_[which].emplace_back(std::move(message));
  options_.get(which, [self = caf::actor_cast<stream_impl>(self_),
                       which](result<store::stream_record> record) {
    caf::anon_send(self, stream_loaded{which, std::move(record)});
  });
}

void stream_manager::loaded(stream_loaded& loaded) {
  auto asked = loading_.extract(loaded.id);
  if (asked.empty())
    return;
  auto refuse_all = [&](const failure& why) {
    for (const auto& each : asked.mapped())
      std::visit([&](const auto& it) { it.reply(why); }, each);
  };
  if (!loaded.record)
    return refuse_all(loaded.record.error());
  if (loaded.record->expires_at <= options_.sessions.wall())
    return refuse_all(fail(store::errc::not_found, "the stream has expired"));
  auto wish = media::read_wish(loaded.record->wish);
  if (!wish)
    return refuse_all(wish.error());
  log::info("a stream is taken up again", {{"stream", loaded.id}});
  session_options again;
  again.record = std::move(*loaded.record);
  again.wish = std::move(*wish);
  again.recovered = true;
  add(std::move(again));
  for (auto& each : asked.mapped())
    std::visit([&](auto& it) { pass(it, loaded.id); }, each);
}

// -- their lives --------------------------------------------------------------

void stream_manager::promised(const stream_promise& promise) {
  if (const auto found = sessions_.find(promise.id); found != sessions_.end())
    found->second.bits = promise.bits;
}

/// The farewell stands behind all that was passed on to it.
void stream_manager::released(const stream_release& release) {
  const auto ended = sessions_.extract(release.id);
  if (!ended.empty())
    self_->send(ended.mapped().actor, stream_farewell{});
  show();
}

void stream_manager::on_down(const caf::down_msg& down) {
  if (registry_ && down.source == registry_.address()) {
    log::error("the registry of streams has died");
    return self_->quit(down.reason ? down.reason
                                   : caf::exit_reason::unhandled_exception);
  }
  std::erase_if(sessions_, [&](const auto& each) {
    return each.second.actor.address() == down.source;
  });
  show();
}

void stream_manager::show() const {
  if (options_.sessions.metrics)
    options_.sessions.metrics->streams("sessions", sessions_.size());
}

stream_impl::behavior_type streams(stream_manager::self_ptr self,
                                   stream_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](stream_open& x) { state.open(x); },
    [&state](const stream_list& x) { state.list(x); },
    [&state](stream_call& x) { state.pass(x, x.id); },
    [&state](stream_fetch& x) { state.pass(x, x.ask.id); },
    [&state](stream_open_file& x) { state.pass(x, x.id); },
    [&state](stream_plan_course& x) { state.pass(x, x.id); },
    [&state](stream_loaded& x) { state.loaded(x); },
    [&state](const stream_promise& x) { state.promised(x); },
    [&state](const stream_release& x) { state.released(x); },
  };
}

} // namespace troupe::actors
