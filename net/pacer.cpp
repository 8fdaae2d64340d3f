#include "net/pacer.hpp"

#include "config/metrics.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <ctime>
#include <utility>

namespace troupe::net {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr double bytes_per_mbit = 125'000;
/// The hour is looked at so often while anybody sends, since clocks are set.
constexpr std::chrono::seconds look_every{30};
constexpr std::uint32_t minutes_a_day = 24 * 60;

double rate_of(std::uint64_t mbit) {
  return static_cast<double>(mbit) * bytes_per_mbit;
}

} // namespace

// -- hours --------------------------------------------------------------------

daily_limit::daily_limit(std::uint64_t usual_mbit,
                         const std::vector<std::string>& hours)
  : usual_{usual_mbit} {
  for (const auto& each : hours)
    if (const auto read = config::parse_hours(each))
      hours_.push_back(*read);
}

daily_limit::present daily_limit::at(std::chrono::seconds of_day) const {
  const auto minute = static_cast<std::uint32_t>(of_day / 1min) % minutes_a_day;
  present out{usual_, 24h};
  for (const auto& each : hours_) {
    if (each.holds(minute))
      out.mbit = each.mbit;
    for (const auto edge : {each.from, each.until}) {
      const auto ahead = (edge + minutes_a_day - minute - 1) % minutes_a_day;
      out.lasts =
        std::min(out.lasts, ahead * std::chrono::seconds{1min}
                              + std::chrono::seconds{1min} - of_day % 1min);
    }
  }
  return out;
}

std::chrono::seconds local_time_of_day() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  return std::chrono::hours{parts.tm_hour} + std::chrono::minutes{parts.tm_min}
         + std::chrono::seconds{parts.tm_sec};
}

// -- who waits where ----------------------------------------------------------

struct pacer::lane::seat : bandwidth::place {
  seat(std::shared_ptr<gate> at, const sender& who);
  ~seat();
  seat(const seat&) = delete;
  seat& operator=(const seat&) = delete;

  std::shared_ptr<gate> through;
  asio::steady_timer signal;
  std::size_t granted = 0;
};

/// One tree and its timer.
class pacer::gate : public std::enable_shared_from_this<gate> {
public:
  using seat = lane::seat;

  gate(asio::any_io_executor io, bandwidth_limits limits, daily_limit total,
       time_of_day now)
    : io_{std::move(io)}, timer_{io_}, limits_{limits}, total_{std::move(
                                                          total)},
      time_of_day_{std::move(now)}, tree_{limits, clock::now()} {}

  [[nodiscard]] const asio::any_io_executor& io() const noexcept {
    return io_;
  }

  bandwidth::place enter(const sender& who) {
    const auto now = clock::now();
    look(now);
    return tree_.enter(who.owner, who.session, who.priority, now);
  }

  void leave(seat& who) {
    tree_.leave(who, clock::now());
    arm();
  }

  /// Fills `granted`, at once or later.
  void ask(seat& who, std::size_t bytes) {
    tree_.ask(who, bytes);
    if (!posted_ && !closed_)
      drive();
  }

  void withdraw(seat& who) {
    tree_.withdraw(who);
  }

  void close() {
    closed_ = true;
    timer_.cancel();
  }

private:
  /// One at a time, so that who was granted a piece can ask for the next while
  /// others wait.
  void drive() {
    const auto now = clock::now();
    look(now);
    const auto next = tree_.next(now);
    if (!next || !tree_.any_waits())
      arm();
    else
      post_drive();
    if (!next)
      return;
    auto& who = static_cast<seat&>(*next->to);
    who.granted = next->bytes;
    who.signal.cancel();
  }

  void post_drive() {
    posted_ = true;
    asio::post(io_, [self = weak_from_this()] {
      const auto here = self.lock();
      if (!here || here->closed_)
        return;
      here->posted_ = false;
      here->drive();
    });
  }

  void arm() {
    const auto at = tree_.wake();
    if (closed_ || at == armed_)
      return;
    armed_ = at;
    if (at == clock::time_point::max()) {
      timer_.cancel();
      return;
    }
    timer_.expires_at(at);
    timer_.async_wait(
      [self = weak_from_this()](const boost::system::error_code& error) {
        const auto here = self.lock();
        if (error || !here || here->closed_)
          return;
        here->armed_ = clock::time_point::max();
        if (!here->posted_)
          here->drive();
      });
  }

  void look(clock::time_point now) {
    if (!total_.changes() || now < look_at_)
      return;
    const auto present = total_.at(time_of_day_());
    look_at_ = now + std::min(present.lasts, look_every);
    const auto total = rate_of(present.mbit);
    if (total == limits_.total)
      return;
    limits_.total = total;
    tree_.limit(limits_, now);
  }

  asio::any_io_executor io_;
  asio::steady_timer timer_;
  bandwidth_limits limits_;
  daily_limit total_;
  time_of_day time_of_day_;
  clock::time_point look_at_ = clock::time_point::min();
  bandwidth tree_;
  clock::time_point armed_ = clock::time_point::max();
  bool posted_ = false;
  bool closed_ = false;
};

pacer::lane::seat::seat(std::shared_ptr<gate> at, const sender& who)
  : place{at->enter(who)}, through{std::move(at)}, signal{through->io()} {}

pacer::lane::seat::~seat() {
  through->leave(*this);
}

// -- pacer --------------------------------------------------------------------

std::unique_ptr<pacer> pacer::make(asio::any_io_executor io,
                                   const config::bandwidth_settings& settings,
                                   config::metrics& metrics, time_of_day now) {
  if (settings.total_mbit == 0 && settings.owner_mbit == 0
      && settings.session_mbit == 0 && settings.images_mbit == 0
      && settings.hours.empty())
    return nullptr;
  return std::make_unique<pacer>(std::move(io), settings, metrics,
                                 std::move(now));
}

pacer::pacer(asio::any_io_executor io,
             const config::bandwidth_settings& settings,
             config::metrics& metrics, time_of_day now)
  : metrics_{metrics} {
  const bandwidth_limits limits{rate_of(settings.total_mbit),
                                rate_of(settings.owner_mbit),
                                rate_of(settings.session_mbit)};
  if (limits.any() || !settings.hours.empty())
    all_ = std::make_shared<gate>(
      io, limits, daily_limit{settings.total_mbit, settings.hours},
      std::move(now));
  if (settings.images_mbit > 0)
    images_ = std::make_shared<gate>(
      io, bandwidth_limits{rate_of(settings.images_mbit), 0, 0},
      daily_limit{0, {}}, nullptr);
}

bool pacer::limits(traffic kind) const noexcept {
  return kind != traffic::other
         && (all_ || (images_ && kind == traffic::image));
}

pacer::~pacer() {
  for (const auto& each : {all_, images_})
    if (each)
      each->close();
}

// -- lane ---------------------------------------------------------------------

pacer::lane::lane(pacer& of, const sender& who, traffic kind)
  : metrics_{of.metrics_}, kind_{kind} {
  if (of.all_)
    all_ = std::make_unique<seat>(of.all_, who);
  if (of.images_ && kind == traffic::image)
    images_ = std::make_unique<seat>(of.images_, who);
}

pacer::lane::~lane() = default;

asio::awaitable<std::size_t> pacer::lane::wait(std::size_t bytes) {
  if (images_) {
    if (spare_ == 0)
      spare_ = co_await pass(*images_, bytes);
    bytes = std::min(bytes, spare_);
  }
  if (all_ && bytes > 0)
    bytes = co_await pass(*all_, bytes);
  if (images_)
    spare_ -= bytes;
  co_return cancelled_ ? 0 : bytes;
}

asio::awaitable<std::size_t> pacer::lane::pass(seat& at, std::size_t bytes) {
  if (cancelled_)
    co_return 0;
  at.granted = 0;
  at.through->ask(at, bytes);
  if (at.granted > 0)
    co_return at.granted;
  const auto since = clock::now();
  while (at.granted == 0 && !cancelled_) {
    at.signal.expires_at(clock::time_point::max());
    co_await at.signal.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  const std::chrono::duration<double> waited = clock::now() - since;
  metrics_.throttled(to_string(kind_), waited.count());
  co_return cancelled_ ? 0 : at.granted;
}

void pacer::lane::cancel() {
  cancelled_ = true;
  for (const auto* each : {&all_, &images_}) {
    if (!*each)
      continue;
    (*each)->through->withdraw(**each);
    (*each)->signal.cancel();
  }
}

} // namespace troupe::net
