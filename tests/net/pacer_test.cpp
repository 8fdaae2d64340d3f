#include "net/pacer.hpp"

#include "config/metrics.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <thread>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using boost::system::error_code;

constexpr double megabit = 125'000;

void report(const std::exception_ptr& defect) {
  if (defect)
    std::rethrow_exception(defect);
}

/// Bodies without end over real sockets; what arrives is counted.
class pacer_test : public testing::Test {
protected:
  struct link {
    link(asio::io_context& io, tcp::acceptor& at) : out{io}, in{io} {
      out.connect(at.local_endpoint());
      at.accept(in);
    }
    tcp::socket out, in;
    std::atomic<std::uint64_t> got = 0;
  };

  void start() {
    limits = pacer::make(io.get_executor(), settings, metrics, clock);
  }

  static asio::awaitable<void> send(pacer& of, link& to, sender who,
                                    traffic kind) {
    const std::string bytes(256 * 1024, 'x');
    pacer::lane lane{of, who, kind};
    for (error_code error; !error;) {
      const auto size = co_await lane.wait(bytes.size());
      if (size == 0)
        co_return;
      auto token = asio::redirect_error(asio::use_awaitable, error);
      co_await asio::async_write(to.out, asio::buffer(bytes.data(), size),
                                 token);
    }
  }

  static asio::awaitable<void> receive(link& from) {
    std::array<char, 65536> room{};
    for (error_code error; !error;) {
      auto token = asio::redirect_error(asio::use_awaitable, error);
      from.got += co_await from.in.async_read_some(asio::buffer(room), token);
    }
  }

  link& open(sender who, traffic kind = traffic::direct) {
    auto& one = links.emplace_back(io, acceptor);
    auto sending = send(*limits, one, std::move(who), kind);
    asio::co_spawn(io, std::move(sending), report);
    auto receiving = receive(one);
    asio::co_spawn(io, std::move(receiving), report);
    return one;
  }

  void run(std::chrono::milliseconds time) {
    io.restart();
    io.run_for(time);
  }

  /// Megabits a second that came for so long, from now on.
  std::vector<double> rates(std::chrono::milliseconds time) {
    std::vector<double> before;
    for (const auto& each : links)
      before.push_back(static_cast<double>(each.got));
    const auto began = std::chrono::steady_clock::now();
    run(time);
    const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - began;
    std::vector<double> out;
    for (const auto& each : links)
      out.push_back((static_cast<double>(each.got) - before[out.size()])
                    / megabit / took.count());
    return out;
  }

  asio::io_context io;
  config::metrics metrics;
  config::bandwidth_settings settings;
  pacer::time_of_day clock = [] {
    return 12h;
  };
  std::unique_ptr<pacer> limits;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  std::deque<link> links;
};

} // namespace

TEST_F(pacer_test, IsNotThereWhereNothingIsLimited) {
  start();
  EXPECT_FALSE(limits);
}

TEST_F(pacer_test, SharesALinkByPriority) {
  settings.total_mbit = 80;
  start();
  open({"a", "1", 9});
  open({"a", "2", 1});
  run(300ms);

  const auto got = rates(2000ms);

  EXPECT_NEAR(got[0] + got[1], 80, 0.15 * 80);
  EXPECT_NEAR(got[0] / (got[0] + got[1]), 0.9, 0.05);
}

TEST_F(pacer_test, HoldsEachOwnerToItsLimit) {
  settings.owner_mbit = 16;
  start();
  open({"a", "1", 5});
  open({"a", "2", 5});
  open({"b", "3", 5});
  run(300ms);

  const auto got = rates(1500ms);

  EXPECT_NEAR(got[0] + got[1], 16, 0.15 * 16);
  EXPECT_NEAR(got[2], 16, 0.15 * 16);
}

TEST_F(pacer_test, HoldsImagesToALimitOfTheirOwn) {
  settings.total_mbit = 80;
  settings.images_mbit = 16;
  start();
  open({"a", "1", 5}, traffic::image);
  open({"b", "2", 5}, traffic::image);
  open({"c", "3", 5});
  run(300ms);

  const auto got = rates(1500ms);

  EXPECT_NEAR(got[0] + got[1], 16, 0.15 * 16);
  EXPECT_NEAR(got[0], got[1], 0.15 * 16);
  EXPECT_NEAR(got[2], 64, 0.15 * 64);
}

TEST_F(pacer_test, LimitsImagesAloneWhereNothingElseIsLimited) {
  settings.images_mbit = 16;
  start();

  EXPECT_TRUE(limits->limits(traffic::image));
  EXPECT_FALSE(limits->limits(traffic::segment));
  EXPECT_FALSE(limits->limits(traffic::other));
}

TEST_F(pacer_test, FollowsTheHours) {
  settings.total_mbit = 80;
  settings.hours = {"11:00-12:30 16"};
  auto second = 12h + 29min + 59s;
  const auto began = std::chrono::steady_clock::now();
  clock = [&] {
    return second
           + std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::steady_clock::now() - began);
  };
  start();
  open({"a", "1", 5});

  const auto before = rates(800ms);
  run(600ms);
  const auto after = rates(800ms);

  EXPECT_NEAR(before[0], 16, 0.25 * 16);
  EXPECT_NEAR(after[0], 80, 0.15 * 80);
}

TEST_F(pacer_test, LeavesToOthersWhatAStalledClientDoesNotTake) {
  settings.total_mbit = 80;
  start();
  auto& stalled = links.emplace_back(io, acceptor);
  stalled.out.set_option(tcp::socket::send_buffer_size{65536});
  stalled.in.set_option(tcp::socket::receive_buffer_size{65536});
  auto sending = send(*limits, stalled, {"a", "1", 9}, traffic::direct);
  asio::co_spawn(io, std::move(sending), report);
  open({"b", "2", 1});
  run(1000ms);

  const auto got = rates(1500ms);

  EXPECT_NEAR(got[1], 80, 0.15 * 80);
}

TEST_F(pacer_test, EndsTheWaitOfWhoIsCut) {
  settings.total_mbit = 1;
  start();
  open({"a", "1", 9});
  bool over = false;
  std::size_t got = 1;
  pacer::lane lane{*limits, {"b", "2", 0}, traffic::file};
  const auto wait = [](pacer::lane& in, std::size_t& out,
                       bool& done) -> asio::awaitable<void> {
    while (out > 0)
      out = co_await in.wait(1 << 20);
    done = true;
  };
  auto waiting = wait(lane, got, over);
  asio::co_spawn(io, std::move(waiting), report);
  run(200ms);
  ASSERT_FALSE(over);

  lane.cancel();
  run(50ms);

  EXPECT_TRUE(over);
  EXPECT_EQ(got, 0u);
}

TEST_F(pacer_test, CountsTheTimeThatBodiesWait) {
  settings.total_mbit = 8;
  start();
  open({"a", "1", 5});
  run(500ms);

  const auto text = metrics.text();

  const auto at = text.find("troupe_throttled_seconds_total{kind=\"direct\"} ");
  ASSERT_NE(at, text.npos);
  const auto value = std::stod(text.substr(text.find("} ", at) + 2));
  EXPECT_GT(value, 0.1);
  EXPECT_LT(value, 0.8);
}

TEST_F(pacer_test, MayGoBeforeThoseWhoWait) {
  settings.total_mbit = 1;
  start();
  open({"a", "1", 9});
  open({"b", "2", 9});
  run(200ms);

  limits.reset();
  run(50ms);
  const auto before = links[0].got + links[1].got;
  run(100ms);

  EXPECT_EQ(links[0].got + links[1].got, before);
}

TEST(daily_limit, HoldsFromItsFirstMinuteUntilItsLast) {
  const daily_limit limit{50, {"22:00-06:00 100", "18:00-20:30 0"}};

  EXPECT_EQ(limit.at(12h).mbit, 50u);
  EXPECT_EQ(limit.at(17h + 59min + 59s).mbit, 50u);
  EXPECT_EQ(limit.at(18h).mbit, 0u);
  EXPECT_EQ(limit.at(20h + 29min + 59s).mbit, 0u);
  EXPECT_EQ(limit.at(20h + 30min).mbit, 50u);
  EXPECT_EQ(limit.at(22h).mbit, 100u);
  EXPECT_EQ(limit.at(0h).mbit, 100u);
  EXPECT_EQ(limit.at(5h + 59min + 59s).mbit, 100u);
  EXPECT_EQ(limit.at(6h).mbit, 50u);
}

TEST(daily_limit, TellsHowLongItLasts) {
  const daily_limit limit{50, {"22:00-06:00 100"}};

  EXPECT_EQ(limit.at(21h + 59min + 59s).lasts, 1s);
  EXPECT_EQ(limit.at(22h).lasts, 8h);
  EXPECT_EQ(limit.at(6h).lasts, 16h);
  EXPECT_EQ(limit.at(12h + 30s).lasts, 10h - 30s);
  EXPECT_FALSE((daily_limit{50, {}}).changes());
}

} // namespace troupe::net
