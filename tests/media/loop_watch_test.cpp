#include "media/loop_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace troupe::media {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST(LoopWatch, TellsHowLongSomethingHeldTheLoop) {
  asio::io_context io;
  std::vector<double> heard;
  bool goes_on = true;
  const auto watch = std::make_shared<loop_watch>(
    io.get_executor(), 1ms,
    [&](double seconds) {
      if (heard.size() == 5)
        asio::post(io, [] { std::this_thread::sleep_for(50ms); });
      heard.push_back(seconds);
      goes_on = heard.size() < 100;
    },
    [&goes_on] { return goes_on; });

  watch->start();
  watch->start();
  io.run();

  EXPECT_EQ(heard.size(), 101u);
  EXPECT_GE(*std::ranges::max_element(heard), 0.045);
  EXPECT_GE(*std::ranges::min_element(heard), 0);
}

TEST(LoopWatch, RestsUntilItIsStartedAgain) {
  asio::io_context io;
  int heard = 0;
  const auto watch = std::make_shared<loop_watch>(
    io.get_executor(), 1ms, [&heard](double) { ++heard; },
    [] { return false; });

  watch->start();
  io.run();
  EXPECT_EQ(heard, 1);

  io.restart();
  watch->start();
  io.run();
  EXPECT_EQ(heard, 2);
}

} // namespace
} // namespace troupe::media
