#include "tests/media/child/children_fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace troupe::media {

using namespace std::chrono_literals;

namespace {

/// Bytes in memory, told after a while.
class text_source : public child_source {
public:
  text_source(runtime& threads, std::string text,
              std::chrono::milliseconds pause = 0ms)
    : timer_(threads.io()), text_(std::move(text)), pause_(pause) {}

  std::int64_t size() const override {
    return static_cast<std::int64_t>(text_.size());
  }
  void read(std::uint64_t offset, std::size_t size, heard done) override {
    const auto from = std::min<std::uint64_t>(offset, text_.size());
    auto answer = [bytes = text_.substr(from, size),
                   done = std::move(done)](boost::system::error_code) {
      done(bytes);
    };
    if (pause_ == 0ms)
      return answer({});
    timer_.expires_after(pause_);
    timer_.async_wait(std::move(answer));
  }

private:
  boost::asio::steady_timer timer_;
  std::string text_;
  std::chrono::milliseconds pause_;
};

class lost_source : public child_source {
public:
  std::int64_t size() const override {
    return -1;
  }
  void read(std::uint64_t, std::size_t, heard done) override {
    done(fail(errc::source_unavailable, "gone"));
  }
};

} // namespace

TEST_F(Children, OneReadsByAskingItsOwner) {
  std::string text(1'000'003, 'x');
  for (std::size_t i = 0; i < text.size(); i += 1000)
    text[i] = static_cast<char>('a' + i / 1000 % 26);
  auto task = task_named("read_all");
  task.source = std::make_shared<text_source>(threads_, text);

  const auto end = run(std::move(task));

  EXPECT_EQ(end.code, errc::none) << end.message;
  EXPECT_TRUE(end.result == text);
}

TEST_F(Children, OneThatWaitsForItsSourceDoesNotStall) {
  auto task = task_named("read_all");
  task.source = std::make_shared<text_source>(threads_, "slow", 700ms);
  task.stall = 300ms;

  const auto end = run(std::move(task));

  EXPECT_EQ(end.result, "slow") << end.message;
}

TEST_F(Children, ASourceThatCannotBeReadIsToldToItsChild) {
  auto task = task_named("read_all");
  task.source = std::make_shared<lost_source>();

  EXPECT_EQ(run(std::move(task)).code, errc::io_error);
}

TEST_F(Children, WhoAsksWithoutASourceBreaksTheProtocol) {
  EXPECT_EQ(run("read_all").code, errc::crashed);
}

TEST_F(Children, OneCancelledWhileItsSourceIsReadEnds) {
  auto task = task_named("read_all");
  task.source = std::make_shared<text_source>(threads_, "late", 60s);
  auto made = start(std::move(task));
  ASSERT_TRUE(comes([this] { return children_.count() == 1; }));

  made.child->stop(errc::cancelled);

  EXPECT_EQ(made.wait().code, errc::cancelled);
}

/// A thread that takes its time with each line.
TEST_F(Children, AtMostOneFrameOfOneIsUnderWay) {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<frame_credit> lent;
  std::size_t most = 0;
  std::size_t heard = 0;
  bool over = false;
  const auto keep = [&](std::string_view, frame_credit credit) {
    const std::lock_guard lock{mutex};
    lent.push_back(std::move(credit));
    most = std::max(most, lent.size());
    ++heard;
    changed.notify_all();
  };
  std::thread owner{[&] {
    std::unique_lock lock{mutex};
    while (!over) {
      changed.wait(lock, [&] { return over || !lent.empty(); });
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
      lent.clear();
    }
  }};
  std::promise<child_end> ended;
  const auto child = children_.open(child_life::one_task);

  child->run(task_named("flood"), {{}, keep, [&ended](child_end end) {
                                     ended.set_value(std::move(end));
                                   }});

  EXPECT_EQ(ended.get_future().get().result, "done");
  {
    const std::lock_guard lock{mutex};
    over = true;
    changed.notify_all();
  }
  owner.join();
  EXPECT_EQ(heard, 1000u);
  EXPECT_EQ(most, 1u);
}

/// While its owner keeps what it said, a child is not blamed for its silence.
TEST_F(Children, OneThatIsNotHeardDoesNotStall) {
  frame_credit kept;
  std::promise<void> heard;
  std::promise<child_end> ended;
  auto end = ended.get_future();
  child_listener listener;
  listener.on_log = [&](std::string_view line, frame_credit credit) {
    if (line != "line 0")
      return;
    kept = std::move(credit);
    heard.set_value();
  };
  listener.on_end = [&ended](child_end it) {
    ended.set_value(std::move(it));
  };
  auto task = task_named("flood");
  task.stall = 500ms;
  const auto child = children_.open(child_life::one_task);
  child->run(std::move(task), std::move(listener));
  heard.get_future().wait();

  EXPECT_EQ(end.wait_for(1500ms), std::future_status::timeout);
  kept.reset();

  EXPECT_EQ(end.get().result, "done");
}

} // namespace troupe::media
