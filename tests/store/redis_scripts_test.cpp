#include "actors/store/job_store.hpp"
#include "actors/store/redis_pace.hpp"
#include "tests/store/must.hpp"
#include "tests/store/redis_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

/// While a script runs, Redis serves nobody else.
namespace troupe::store::testing {
namespace {

using namespace std::chrono_literals;

/// How many scripts ran, how many of them took more than 5 ms, and how long
/// they took together, by Redis' clock.
struct script_times {
  double all = 0;
  double slow = 0;
  double us = 0;

  script_times& operator+=(const script_times& more) {
    all += more.all;
    slow += more.slow;
    us += more.us;
    return *this;
  }
  [[nodiscard]] double slow_share() const {
    return all == 0 ? 1 : slow / all;
  }
};

class RedisScripts : public ::testing::Test {
protected:
  RedisScripts() {
    server_.command({"CONFIG", "SET", "slowlog-log-slower-than", "5000"});
    server_.command({"CONFIG", "SET", "slowlog-max-len", "10000"});
    store_options options;
    options.url = server_.url();
    store_ = must(open_store(options));
  }

  template <class Call>
  script_times timed(Call call) {
    server_.command({"CONFIG", "RESETSTAT"});
    server_.command({"SLOWLOG", "RESET"});
    call();
    script_times times;
    times.slow = std::stod(server_.command({"SLOWLOG", "LEN"}));
    const auto info = server_.command({"INFO", "commandstats"});
    for (const std::string name : {"cmdstat_evalsha:", "cmdstat_eval:"})
      if (const auto at = info.find(name); at != info.npos) {
        times.all += number_after(info, "calls=", at);
        times.us += number_after(info, "usec=", at);
      }
    return times;
  }

  static double number_after(const std::string& text, const std::string& name,
                             std::size_t from) {
    return std::stod(text.substr(text.find(name, from) + name.size()));
  }

  /// The share of slow ones among scripts that only count, for as long as
  /// those of `like` took: so often the machine had something else to do.
  double interrupted_share(const script_times& like) {
    const auto count_to = [this](double end) {
      server_.command({"EVAL", "for i = 1, tonumber(ARGV[1]) do end", "0",
                       std::to_string(static_cast<long>(end))});
    };
    constexpr double trial = 1e6;
    const auto once = timed([&] { count_to(trial); });
    const auto end = trial * (like.us / like.all) / std::max(once.us, 1.0);
    const auto times = timed([&] {
      for (int i = 0; i < 300; ++i)
        count_to(end);
    });
    return times.slow_share();
  }

  void note(const script_times& times) {
    const auto interrupted = interrupted_share(times);
    least_interrupted_ = std::min(least_interrupted_, interrupted);
    share_ = std::min(share_, times.slow_share() - interrupted);
  }

  /// Nothing can be said of so small a share where as many of the scripts that
  /// only count are slow, each time.
  [[nodiscard]] bool is_too_busy(double share) const {
    return share_ > share && least_interrupted_ > share;
  }

  void act_on_all(bulk_action action) {
    bulk_request request;
    request.action = action;
    request.max = 500;
    do
      request.cursor = must(store_->bulk(request)).next_cursor;
    while (!request.cursor.empty());
  }

  redis_server server_{{.fsync = "", .tcp = false, .more = {}}};
  std::unique_ptr<job_store> store_;
  double share_ = 1; ///< slow ones, at best, beyond those interrupted
  double least_interrupted_ = 1;
};

/// Other tests have the machine at the same time: the best of a few, beyond
/// what it does to any script.
TEST_F(RedisScripts,
       OneOfAHundredAtMostTakesOverFiveMillisecondsInActionsOnMany) {
  std::vector<job_draft> jobs(10'000);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].id = "job" + std::to_string(i);
    jobs[i].type = jobs[i].queue = "download";
    jobs[i].params = R"({"text":")" + std::string(300, 'x') + R"("})";
    jobs[i].concurrency_key = "host" + std::to_string(i % 100);
  }
  must(store_->submit_batch({"b1", "", {}, ""}, jobs, {}));

  for (int round = 0; round < 8 && share_ > 0.01; ++round) {
    auto times = timed([&] { act_on_all(bulk_action::cancel); });
    times += timed([&] { act_on_all(bulk_action::retry); });
    EXPECT_GE(times.all, 2 * 10'000 / jobs_per_group);
    note(times);
  }

  if (is_too_busy(0.01))
    GTEST_SKIP() << "this machine lets no script run undisturbed";
  EXPECT_LE(share_, 0.01);
}

/// The largest group there is, each job of its own host, each host full with
/// another job that waits: its lane is parked, then let go.
TEST_F(RedisScripts,
       OneOfTenAtMostTakesOverFiveMillisecondsInTheLargestGroups) {
  const put_queue_op one_each{.queue = "download",
                              .paused = {},
                              .concurrency = {},
                              .rate_per_s = {},
                              .key_concurrency = 1};
  must(store_->apply(std::vector<operation>{one_each}));

  for (int round = 0; round < 9 && share_ > 0.1; ++round) {
    std::vector<operation> submits, ends, cancels;
    for (int i = 0; i < 512; ++i) {
      job_draft made;
      made.id = "job" + std::to_string(512 * round + i);
      made.type = made.queue = "download";
      made.params = R"({"text":")" + std::string(900, 'x') + R"("})";
      made.unique_key = "key of " + made.id;
      made.batch = "batch";
      made.concurrency_key = "host" + std::to_string(i % 256);
      cancels.emplace_back(cancel_op{made.id});
      submits.emplace_back(submit_op{std::move(made), {}});
    }
    auto times = timed([&] { must(store_->apply(submits)); });
    times += timed([&] {
      for (const auto& it :
           must(store_->claim({"download", "node", 7, 512, 600'000})).jobs)
        ends.emplace_back(succeed_op{it.id, it.fence, "{}"});
    });
    EXPECT_EQ(ends.size(), 256u);
    times += timed([&] { must(store_->apply(ends)); });
    times += timed([&] { must(store_->apply(cancels)); });
    note(times);
  }

  if (is_too_busy(0.1))
    GTEST_SKIP() << "this machine lets no script run undisturbed";
  EXPECT_LE(share_, 0.1);
}

/// Each job depends on the hundred before it. What takes long is not one
/// script among many here: on average, at best, they take half of the time.
TEST_F(RedisScripts, ThoseThatTieJobsToManyParentsTakeNoLonger) {
  double best_us = 1e9;
  for (int round = 0; round < 5 && best_us > 2500; ++round) {
    const auto name = "b" + std::to_string(round);
    std::vector<job_draft> jobs(500);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      jobs[i].id = name + "job" + std::to_string(i);
      jobs[i].type = jobs[i].queue = "download";
      for (auto k = i - std::min<std::size_t>(i, 100); k < i; ++k)
        jobs[i].depends_on.push_back(jobs[k].id);
    }
    const auto made = timed([&] {
      must(store_->submit_batch({name, "", {}, ""}, jobs, {}));
    });
    const auto ended = timed([&] {
      act_on_all(bulk_action::cancel);
      while (must(store_->follow({"node", 7, 600'000, 256})).more)
        continue;
    });
    best_us =
      std::min(best_us, std::max(made.us / made.all, ended.us / ended.all));
  }

  EXPECT_LE(best_us, 2500);
}

TEST(RedisPace, MakesSmallerGroupsWhereScriptsTakeLong) {
  redis_pace pace;
  EXPECT_EQ(pace.jobs(), jobs_per_group);

  pace.took(128, 1ms, 6ms);
  EXPECT_EQ(pace.jobs(), 64u);
  for (int i = 0; i < 5; ++i)
    pace.took(pace.jobs(), 1ms, 60ms);
  EXPECT_EQ(pace.jobs(), redis_pace::fewest);
}

TEST(RedisPace, MakesLargerOnesAgainWhenTheyDoNot) {
  redis_pace pace;
  for (int i = 0; i < 5; ++i)
    pace.took(pace.jobs(), 1ms, 60ms);

  pace.took(3, 1ms, 1ms); // too few to say anything
  EXPECT_EQ(pace.jobs(), redis_pace::fewest);
  for (int i = 0; i < 100; ++i)
    pace.took(pace.jobs(), 1ms, 2ms);
  EXPECT_EQ(pace.jobs(), jobs_per_group);
}

TEST(RedisPace, DoesNotTakeAFarServerForASlowOne) {
  redis_pace pace;

  for (int i = 0; i < 10; ++i)
    pace.took(pace.jobs(), 80ms, 81ms);

  EXPECT_EQ(pace.jobs(), jobs_per_group);
}

} // namespace
} // namespace troupe::store::testing
