#include "net/bandwidth.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace troupe::net {

namespace {

using namespace std::chrono_literals;

/// What is granted at once is the traffic of so long, within these bounds: less
/// would be many turns, more a long wait for the others.
constexpr double piece_s = 0.02;
constexpr double least_piece = 16 * 1024;
constexpr double most_piece = 256 * 1024;
/// A bucket holds the traffic of so long, so that a late timer costs nothing.
constexpr double burst_s = 0.1;
/// Pieces, of weight 1, that who comes back in time may make up for: between
/// two pieces everybody is away for a moment.
constexpr double slack = 2;
/// Until a session without places is forgotten; all buckets are full by then.
constexpr auto kept_for = 2s;
/// Sessions forgotten at once.
constexpr int most_forgotten = 64;

double weight_of(std::size_t priority) {
  return priority == 0 ? 0.5 : static_cast<double>(priority);
}

double piece_of(const bandwidth_limits& limits) {
  double out = most_piece;
  for (const auto rate : {limits.total, limits.owner, limits.session})
    if (rate > 0)
      out = std::min(out, std::max(least_piece, rate * piece_s));
  return out;
}

} // namespace

/// What owners and sessions have in common. `tag` is the virtual time at which
/// its next piece starts.
struct bandwidth::share {
  enum class state : std::uint8_t { idle, ready, held };

  token_bucket bucket;
  double tag = 0;
  std::uint64_t turn = 0; ///< among equal tags
  state now = state::idle;
  time until = {};                 ///< while held
  session_node* session = nullptr; ///< else it is an owner
};

/// Those of one parent who may be served.
struct bandwidth::level {
  double virtual_now = 0;
  std::uint64_t turns = 0;
  std::set<std::tuple<double, std::uint64_t, share*>> ready = {};

  void join(share& who, double most_behind) {
    who.tag = std::max(who.tag, virtual_now - most_behind);
    who.turn = ++turns;
    who.now = share::state::ready;
    ready.emplace(who.tag, who.turn, &who);
  }

  void part(share& who) {
    ready.erase({who.tag, who.turn, &who});
    who.now = share::state::idle;
  }

  /// @pre it is ready
  void charge(share& who, double virtual_bytes) {
    part(who);
    virtual_now = std::max(virtual_now, who.tag);
    who.tag += virtual_bytes;
    who.turn = ++turns;
    who.now = share::state::ready;
    ready.emplace(who.tag, who.turn, &who);
  }

  [[nodiscard]] share* first() const {
    return ready.empty() ? nullptr : std::get<share*>(*ready.begin());
  }
};

struct bandwidth::session_node : bandwidth::share {
  owner_node* owner = nullptr;
  std::string name;
  std::size_t priority = 0;
  std::size_t places = 0;
  std::deque<place*> waiting = {};
  std::list<session_node*>::iterator idle_at = {};
  time idle_since = {};
};

struct bandwidth::owner_node : bandwidth::share {
  std::string name;
  level ready_sessions = {};
  std::unordered_map<std::string, std::unique_ptr<session_node>> sessions = {};
  std::array<std::size_t, 10> places = {}; ///< by priority

  [[nodiscard]] double weight() const {
    for (auto i = places.size(); i-- > 0;)
      if (places[i] > 0)
        return weight_of(i);
    return 1;
  }
};

bandwidth::bandwidth(bandwidth_limits limits, time now)
  : limits_{limits}, piece_{static_cast<std::size_t>(piece_of(limits))},
    total_{bucket(limits.total, now)}, ready_{std::make_unique<level>()} {}

bandwidth::~bandwidth() = default;

token_bucket bandwidth::bucket(double rate, time now) const {
  return {rate, std::max(rate * burst_s, 2.0 * static_cast<double>(piece_)),
          now};
}

void bandwidth::limit(bandwidth_limits limits, time now) {
  limits_ = limits;
  piece_ = static_cast<std::size_t>(piece_of(limits));
  const auto renew = [&](token_bucket& which, double rate) {
    which.limit(
      rate, std::max(rate * burst_s, 2.0 * static_cast<double>(piece_)), now);
  };
  renew(total_, limits.total);
  for (auto& [name, each] : owners_) {
    renew(each->bucket, limits.owner);
    for (auto& [of, its] : each->sessions)
      renew(its->bucket, limits.session);
  }
}

bandwidth::place bandwidth::enter(std::string_view owner, std::string_view name,
                                  int priority, time now) {
  forget(now);
  auto& who = owners_[std::string{owner}];
  if (!who) {
    who = std::make_unique<owner_node>(
      owner_node{share{bucket(limits_.owner, now)}, std::string{owner}});
    who->tag = ready_->virtual_now;
  }
  auto& what = who->sessions[std::string{name}];
  if (!what) {
    what = std::make_unique<session_node>(session_node{
      share{bucket(limits_.session, now)}, who.get(), std::string{name}});
    what->session = what.get();
    what->tag = who->ready_sessions.virtual_now;
    ++sessions_;
  } else if (what->places == 0) {
    idle_.erase(what->idle_at);
  }
  who->places[what->priority] -= what->places;
  what->priority = static_cast<std::size_t>(std::clamp(priority, 0, 9));
  ++what->places;
  who->places[what->priority] += what->places;
  return {what.get(), 0};
}

void bandwidth::leave(place& which, time now) {
  if (!which.of)
    return;
  withdraw(which);
  auto& of = *std::exchange(which.of, nullptr);
  --of.owner->places[of.priority];
  if (--of.places == 0) {
    of.idle_since = now;
    of.idle_at = idle_.insert(idle_.end(), &of);
  }
}

void bandwidth::ask(place& which, std::size_t bytes) {
  if (bytes == 0)
    return;
  which.wanted = bytes;
  which.of->waiting.push_back(&which);
  ++waiting_;
  if (which.of->now == share::state::idle)
    wait(*which.of);
}

void bandwidth::withdraw(place& which) {
  if (which.wanted == 0)
    return;
  which.wanted = 0;
  --waiting_;
  std::erase(which.of->waiting, &which);
  if (which.of->waiting.empty())
    stop_waiting(*which.of);
}

void bandwidth::wait(session_node& which) {
  const auto behind = slack * static_cast<double>(piece_);
  auto& of = *which.owner;
  of.ready_sessions.join(which, behind);
  if (of.now == share::state::idle)
    ready_->join(of, behind);
}

void bandwidth::stop_waiting(session_node& which) {
  if (which.now == share::state::held) {
    held_.erase({which.until, &which});
    which.now = share::state::idle;
    return;
  }
  which.owner->ready_sessions.part(which);
  stand_back(*which.owner);
}

/// Of an owner that may have nothing to send any more.
void bandwidth::stand_back(owner_node& which) {
  if (which.ready_sessions.first())
    return;
  if (which.now == share::state::ready)
    ready_->part(which);
  else if (which.now == share::state::held)
    held_.erase({which.until, &which});
  which.now = share::state::idle;
}

/// At its own ceiling: the others go on without it.
void bandwidth::hold(share& which, time until) {
  if (which.session)
    which.session->owner->ready_sessions.part(which);
  else
    ready_->part(which);
  which.now = share::state::held;
  which.until = until;
  held_.emplace(until, &which);
  if (which.session)
    stand_back(*which.session->owner);
}

void bandwidth::release(time now) {
  while (!held_.empty() && held_.begin()->first <= now) {
    auto& which = *held_.begin()->second;
    held_.erase(held_.begin());
    which.now = share::state::idle;
    if (which.session)
      wait(*which.session);
    else
      ready_->join(which, slack * static_cast<double>(piece_));
  }
}

std::optional<bandwidth::granted> bandwidth::next(time now) {
  forget(now);
  release(now);
  blocked_until_ = time::max();
  while (auto* first = ready_->first()) {
    auto& who = static_cast<owner_node&>(*first);
    auto& what = *who.ready_sessions.first()->session;
    auto& where = *what.waiting.front();
    const auto bytes = std::min(where.wanted, piece_);
    if (const auto at = total_.ready(bytes, now); at > now) {
      blocked_until_ = at;
      return std::nullopt;
    }
    if (const auto at = who.bucket.ready(bytes, now); at > now) {
      hold(who, at);
    } else if (const auto then = what.bucket.ready(bytes, now); then > now) {
      hold(what, then);
    } else {
      serve(what, bytes);
      return granted{&where, bytes};
    }
  }
  return std::nullopt;
}

void bandwidth::serve(session_node& which, std::size_t bytes) {
  auto& who = *which.owner;
  total_.take(bytes);
  who.bucket.take(bytes);
  which.bucket.take(bytes);
  const auto size = static_cast<double>(bytes);
  ready_->charge(who, size / who.weight());
  who.ready_sessions.charge(which, size / weight_of(which.priority));
  which.waiting.front()->wanted = 0;
  which.waiting.pop_front();
  --waiting_;
  if (which.waiting.empty())
    stop_waiting(which);
}

bandwidth::time bandwidth::wake() const {
  auto out = blocked_until_;
  if (!held_.empty())
    out = std::min(out, held_.begin()->first);
  if (!idle_.empty())
    out = std::min(out, idle_.front()->idle_since + kept_for);
  return out;
}

void bandwidth::forget(time now) {
  for (int i = 0; i < most_forgotten && !idle_.empty(); ++i) {
    auto& oldest = *idle_.front();
    if (oldest.idle_since + kept_for > now)
      return;
    idle_.pop_front();
    --sessions_;
    auto& who = *oldest.owner;
    const auto name = std::move(oldest.name);
    who.sessions.erase(name);
    if (!who.sessions.empty())
      continue;
    const auto whose = std::move(who.name);
    owners_.erase(whose);
  }
}

} // namespace troupe::net
