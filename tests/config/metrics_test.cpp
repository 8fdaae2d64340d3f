#include "config/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace troupe::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, ShowWhatHappenedUnderItsLabels) {
  metrics seen;
  seen.job_submitted("noop");
  seen.job_submitted("noop");
  seen.attempt_ended("noop", "succeeded", 0.2);
  seen.job_ended("noop", "failed", 3);
  seen.queue_depth("download", "queued", 7);
  seen.queue_oldest_age("download", "running", 2.5);
  seen.http_request("/v1/jobs/{id}", "GET", 200, 0.003);
  seen.pool("bulk", 4, 3, 1, true);
  seen.node_resource("disk_data", 30, 100);
  seen.event_clients("sse", 2);
  seen.event_clients("sse", -1);
  seen.sent_bytes("segment", 1000);
  seen.throttled("file", 1.5);

  auto text = seen.text();

  EXPECT_THAT(text, HasSubstr("troupe_jobs_submitted_total{type=\"noop\"} 2"));
  EXPECT_THAT(text, HasSubstr("troupe_attempt_seconds_count{outcome="
                              "\"succeeded\",type=\"noop\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_job_seconds_bucket{outcome=\"failed\","
                              "type=\"noop\",le=\"5\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_queue_oldest_age_seconds{queue="
                              "\"download\",state=\"running\"} 2.5"));
  EXPECT_THAT(text, HasSubstr("troupe_queue_jobs{queue=\"download\",state="
                              "\"queued\"} 7"));
  EXPECT_THAT(text, HasSubstr("method=\"GET\",route=\"/v1/jobs/{id}\",status="
                              "\"200\",le=\"0.0025\"} 0"));
  EXPECT_THAT(text, HasSubstr("troupe_pool_slots{pool=\"bulk\"} 4"));
  EXPECT_THAT(text, HasSubstr("troupe_pool_held{pool=\"bulk\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_node_total{resource=\"disk_data\"} 100"));
  EXPECT_THAT(text, HasSubstr("troupe_event_clients{kind=\"sse\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_sent_bytes_total{kind=\"segment\"} "
                              "1000"));
  EXPECT_THAT(text, HasSubstr("troupe_throttled_seconds_total{kind=\"file\"} "
                              "1.5"));
}

TEST(Metrics, TellTheLongestHoldOfALoop) {
  metrics seen;
  for (const double lag : {0.002, 0.07, 0.004})
    seen.loop_lag("edge", lag);
  seen.loop_lag("media", 0.001);

  const auto text = seen.text();

  EXPECT_THAT(text, HasSubstr("troupe_event_loop_lag_seconds_bucket{loop="
                              "\"edge\",le=\"0.005\"} 2"));
  EXPECT_THAT(text, HasSubstr("troupe_event_loop_lag_seconds_count{loop="
                              "\"edge\"} 3"));
  EXPECT_THAT(text, HasSubstr("troupe_event_loop_longest_lag_seconds{loop="
                              "\"edge\"} 0.07"));
}

TEST(Metrics, ShowTheProcess) {
  auto text = metrics{}.text();

  for (const auto* name :
       {"process_resident_memory_bytes", "process_open_fds", "process_threads",
        "process_start_time_seconds", "process_max_fds"})
    EXPECT_THAT(text, Not(HasSubstr(std::string{"\n"} + name + " 0\n")))
      << name;
  EXPECT_THAT(text, HasSubstr("# TYPE process_cpu_seconds_total counter"));
}

TEST(Metrics, CountFromManyThreadsWithoutLoss) {
  metrics seen;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&seen, t] {
      for (int i = 0; i < 1000; ++i) {
        seen.job_submitted("a" + std::to_string(i % 10));
        seen.http_request("/", "GET", 200 + t, 0.001);
      }
    });
  for (auto& thread : threads)
    thread.join();

  auto text = seen.text();

  EXPECT_THAT(text, HasSubstr("troupe_jobs_submitted_total{type=\"a3\"} 400"));
  EXPECT_THAT(text, HasSubstr("status=\"203\"} 1000"));
}

} // namespace
} // namespace troupe::config
