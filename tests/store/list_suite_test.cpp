#include "tests/store/store_suite.hpp"

#include <algorithm>

/// Pages of jobs, counters, and how long finished jobs are kept.
namespace troupe::store::testing {
namespace {

class ListSuite : public StoreSuite {
protected:
  job_page page(const list_query& query) {
    auto answer = store().list(query);
    EXPECT_TRUE(answer);
    return answer ? std::move(*answer) : job_page{};
  }

  errc list_error(const list_query& query) {
    const auto answer = store().list(query);
    return answer ? errc::none : static_cast<errc>(answer.error().code.value());
  }

  /// All pages, one after another.
  std::vector<std::string> walk(list_query query, int* pages = nullptr) {
    std::vector<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
      const auto part = page(query);
      std::ranges::copy(ids_of(part.jobs), std::back_inserter(ids));
      if (pages != nullptr)
        *pages = i + 1;
      if (part.next_page_token.empty())
        return ids;
      query.page_token = part.next_page_token;
    }
    ADD_FAILURE() << "a list without end";
    return ids;
  }

  std::vector<std::string> submit_many(int count) {
    std::vector<operation> group;
    std::vector<std::string> newest_first;
    for (int i = 0; i < count; ++i) {
      group.emplace_back(submit_op{draft(), {}});
      newest_first.push_back(std::get<submit_op>(group.back()).draft.id);
    }
    apply_all(group);
    std::ranges::reverse(newest_first);
    return newest_first;
  }

  queue_depth depth_of(const std::string& queue) {
    const auto all = store().depths();
    EXPECT_TRUE(all);
    for (const auto& entry : *all)
      if (entry.queue == queue)
        return entry;
    return {};
  }

  job finished_job() {
    return succeed(running()).job;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, ListSuite, ::testing::ValuesIn(store_kinds()),
                         ::testing::PrintToStringParamName());

// -- pages --------------------------------------------------------------------

TEST_P(ListSuite, NewestComesFirstAndPagesJoin) {
  const auto ids = submit_many(25);
  list_query query;
  query.page_size = 10;
  int pages = 0;

  EXPECT_EQ(walk(query, &pages), ids);
  EXPECT_EQ(pages, 3);
  query.page_size = 25;
  EXPECT_TRUE(page(query).next_page_token.empty()) << "an exact end";
}

TEST_P(ListSuite, LargeJobsFillAPageSooner) {
  constexpr std::size_t mib = 1024 * 1024;
  for (const std::size_t size : {9 * mib, 3 * mib, 3 * mib, 3 * mib, 3 * mib}) {
    auto large = draft();
    large.params = R"({"payload":")" + std::string(size, 'x') + R"("})";
    apply_all({submit_op{std::move(large), {}}});
  }
  list_query query;
  query.page_size = 100;

  const auto first = page(query);
  EXPECT_EQ(first.jobs.size(), 3u);
  int pages = 0;
  EXPECT_EQ(walk(query, &pages).size(), 5u);
  EXPECT_EQ(pages, 2);
  query.tag = "none";
  EXPECT_TRUE(walk(query).empty());
  query.tag.clear();
  query.page_token = first.next_page_token;
  EXPECT_EQ(page(query).jobs.size(), 2u);
}

TEST_P(ListSuite, AnEmptyStoreHasOneEmptyPage) {
  const auto only = page({});

  EXPECT_TRUE(only.jobs.empty());
  EXPECT_TRUE(only.next_page_token.empty());
}

TEST_P(ListSuite, JobsThatComeWhileOnePagesDoNotShiftThePages) {
  const auto ids = submit_many(4);
  list_query query;
  query.page_size = 2;
  const auto first = page(query);
  submit_many(3);
  purge(cancel(ids[1]).job.id);

  query.page_token = first.next_page_token;

  EXPECT_EQ(ids_of(page(query).jobs), (std::vector{ids[2], ids[3]}));
}

TEST_P(ListSuite, PageSizesAreCoerced) {
  submit_many(1010);
  list_query query;

  query.page_size = 0;
  EXPECT_EQ(page(query).jobs.size(), 1u);
  query.page_size = 5000;
  EXPECT_EQ(page(query).jobs.size(), 1000u);
}

TEST_P(ListSuite, ForeignTokensAreRefused) {
  submit_many(3);
  list_query query;
  query.page_size = 1;
  const auto token = page(query).next_page_token;
  ASSERT_FALSE(token.empty());

  for (const std::string& bad :
       {std::string{"x"}, std::string{"0"}, token + "0",
        token.substr(0, token.size() - 1), std::string(token.size(), '0'),
        std::string(200, 'z'), std::string{"\0\xff'\"", 4}}) {
    query.page_token = bad;
    EXPECT_EQ(list_error(query), errc::bad_page_token) << bad;
  }
  query.page_token = token;
  EXPECT_EQ(list_error(query), errc::none);
  query.page_size = 2;
  EXPECT_EQ(list_error(query), errc::none) << "the size may change";
  query.state = job_state::queued;
  EXPECT_EQ(list_error(query), errc::bad_page_token) << "another list";
}

// -- filters ------------------------------------------------------------------

TEST_P(ListSuite, FiltersByState) {
  const auto done = finished_job();
  const auto held = running();
  const auto waiting = submit_many(3);
  list_query query;

  query.state = job_state::succeeded;
  EXPECT_EQ(walk(query), std::vector{done.id});
  query.state = job_state::running;
  EXPECT_EQ(walk(query), std::vector{held.id});
  query.state = job_state::queued;
  query.page_size = 2;
  EXPECT_EQ(walk(query), waiting);
  query.state = job_state::failed;
  EXPECT_TRUE(walk(query).empty());
}

TEST_P(ListSuite, APublishingJobIsListedAsRunning) {
  const auto held = running();
  commit(held);
  list_query query;
  query.state = job_state::running;

  EXPECT_EQ(walk(query), std::vector{held.id});
}

TEST_P(ListSuite, FiltersJoin) {
  auto wanted = draft("image");
  wanted.type = "image_batch";
  wanted.tags = {"x", "holiday"};
  wanted.owner = "ann";
  wanted.batch = "b1";
  auto other = wanted;
  other.id = draft().id;
  other.owner = "ben";
  submit(wanted);
  submit(other);
  submit_many(3);

  list_query query;
  query.type = "image_batch";
  EXPECT_EQ(walk(query), (std::vector{other.id, wanted.id}));
  query = {};
  query.queue = "image";
  EXPECT_EQ(walk(query).size(), 2u);
  query = {};
  query.tag = "holiday";
  EXPECT_EQ(walk(query).size(), 2u);
  query.tag = "holi";
  EXPECT_TRUE(walk(query).empty());
  query = {};
  query.batch = "b1";
  query.page_size = 1;
  EXPECT_EQ(walk(query), (std::vector{other.id, wanted.id}));
  query.owner = "ann";
  query.tag = "x";
  query.state = job_state::queued;
  query.queue = "image";
  query.type = "image_batch";
  EXPECT_EQ(walk(query), std::vector{wanted.id});
  cancel(wanted.id);
  EXPECT_TRUE(walk(query).empty());
}

TEST_P(ListSuite, ARareMatchIsFoundOverSeveralPages) {
  auto rare = draft();
  rare.tags = {"rare"};
  submit(rare);
  submit_many(2500);
  list_query query;
  query.tag = "rare";

  const auto first = page(query);
  int pages = 0;

  EXPECT_TRUE(first.jobs.empty()) << "a thousand rows were looked at";
  EXPECT_FALSE(first.next_page_token.empty());
  EXPECT_EQ(walk(query, &pages), std::vector{rare.id});
  EXPECT_EQ(pages, 3);
}

TEST_P(ListSuite, StateAndBatchNeedNoScan) {
  auto member = draft();
  member.batch = "b1";
  submit(member);
  const auto held = claim().at(0);
  submit_many(1500);
  list_query query;

  query.batch = "b1";
  EXPECT_EQ(ids_of(page(query).jobs), std::vector{held.id});
  query.state = job_state::running;
  EXPECT_EQ(ids_of(page(query).jobs), std::vector{held.id});
  query.batch = "";
  EXPECT_EQ(ids_of(page(query).jobs), std::vector{held.id});
}

// -- counters -----------------------------------------------------------------

TEST_P(ListSuite, DepthsCountEveryState) {
  auto later = draft();
  later.delay_ms = 60 * second;
  submit(later);
  finished_job();
  fail(running(), false);
  cancel(submit().id);
  commit(running());
  cancel(running().id);
  submit_many(4);
  submit(draft("image"));

  const auto counts = depth_of("download");

  const std::vector<std::uint64_t> expected{1, 0, 4, 1, 0, 1, 1, 1, 1};
  EXPECT_EQ(std::vector(std::begin(counts.by_state), std::end(counts.by_state)),
            expected);
  EXPECT_EQ(depth(job_state::queued, "image"), 1u);
  EXPECT_EQ(depth(job_state::queued, "video"), 0u);
}

TEST_P(ListSuite, DepthsFollowJobsThatGo) {
  const auto done = finished_job();
  const auto held = running();
  fail(held);
  EXPECT_EQ(depth(job_state::scheduled), 1u);
  EXPECT_EQ(depth(job_state::succeeded), 1u);

  purge(done.id);
  advance(3600 * second);
  sweep();

  EXPECT_EQ(depth(job_state::succeeded), 0u);
  EXPECT_EQ(depth(job_state::scheduled), 0u);
  EXPECT_EQ(depth(job_state::queued), 1u);
  EXPECT_EQ(depth(job_state::running), 0u);
}

TEST_P(ListSuite, TheOldestQueuedJobGivesTheAge) {
  EXPECT_EQ(depth_of("download").oldest_age_ms, 0);
  auto old = draft("download", 0);
  old.concurrency_key = "slow";
  submit(old);
  advance(20 * second);
  submit(draft("download", 9));
  EXPECT_GE(depth_of("download").oldest_age_ms, 20 * second);
  EXPECT_LT(depth_of("download").oldest_age_ms, 21 * second);

  cancel(old.id);
  EXPECT_LT(depth_of("download").oldest_age_ms, second);
  claim(5);
  EXPECT_EQ(depth_of("download").oldest_age_ms, 0);
}

// -- retention ----------------------------------------------------------------

TEST_P(ListSuite, FinishedJobsGoAfterTheirTime) {
  options.retention_ms = 100 * second;
  const auto old = finished_job();
  fail(running(), false);
  advance(60 * second);
  const auto young = finished_job();
  advance(50 * second);

  sweep();

  EXPECT_EQ(ids_of(list()), std::vector{young.id});
  EXPECT_EQ(get_error(old.id), errc::not_found);
  EXPECT_EQ(depth(job_state::succeeded), 1u);
  EXPECT_EQ(depth(job_state::failed), 0u);
}

TEST_P(ListSuite, AgeCountsFromTheEnd) {
  options.retention_ms = 100 * second;
  const auto held = running();
  advance(200 * second);
  succeed(held);

  sweep();

  EXPECT_EQ(get(held.id).state, job_state::succeeded);
}

TEST_P(ListSuite, OverTheCountTheOldestSucceededGoFirst) {
  options.retention_count = 3;
  const auto failed = fail(running(), false).job;
  const auto slow = running();
  std::vector<std::string> done;
  for (int i = 0; i < 3; ++i) {
    advance(second);
    done.push_back(finished_job().id);
  }
  advance(second);
  succeed(slow);

  sweep();

  EXPECT_EQ(ids_of(list()), (std::vector{done[2], slow.id, failed.id}));
}

TEST_P(ListSuite, OpenJobsAreNeverTrimmed) {
  options.retention_count = 0;
  options.retention_ms = 1;
  const auto held = running();
  const auto publishing = running();
  commit(publishing);
  const auto waiting = submit();
  auto later = draft();
  later.delay_ms = 1000 * second;
  submit(later);
  finished_job();
  advance(500 * second);

  sweep();

  EXPECT_EQ(list().size(), 4u);
}

TEST_P(ListSuite, TrimmingIsABoundedStep) {
  options.retention_count = 1;
  for (int i = 0; i < 6; ++i)
    finished_job();

  const auto step = store().sweep({node, 1, lease_ms, 2});

  ASSERT_TRUE(step);
  EXPECT_TRUE(step->more);
  EXPECT_EQ(depth(job_state::succeeded), 4u);
  sweep();
  EXPECT_EQ(depth(job_state::succeeded), 1u);
}

} // namespace
} // namespace troupe::store::testing
