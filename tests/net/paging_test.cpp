#include "net/paging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::net {

using testing::ElementsAre;

namespace {

struct paging : testing::Test {
  static std::optional<problem> read(const std::string& query,
                                     page_request& out) {
    target where;
    EXPECT_TRUE(parse_target(query, where));
    return read_page(where, "fruit", out);
  }

  /// The names of the page that follows a token.
  std::vector<std::string> page(const std::string& query) {
    page_request asked;
    EXPECT_FALSE(read(query, asked)) << query;
    std::vector<std::string> all{"fig", "apple", "date", "banana", "cherry"};
    token = cut_page(all, "fruit", asked, std::identity{});
    return all;
  }

  std::string token;
};

} // namespace

TEST_F(paging, GoesThroughAListInItsOrder) {
  EXPECT_THAT(page("/f?page_size=2"), ElementsAre("apple", "banana"));
  const auto first = token;
  EXPECT_THAT(page("/f?page_size=2&page_token=" + first),
              ElementsAre("cherry", "date"));
  EXPECT_THAT(page("/f?page_size=2&page_token=" + token), ElementsAre("fig"));
  EXPECT_EQ(token, "");
  EXPECT_THAT(page("/f?page_size=3&page_token=" + first),
              ElementsAre("cherry", "date", "fig"));
  EXPECT_EQ(token, "") << "the list ends with the page";
  EXPECT_THAT(page("/f?page_size=0"), ElementsAre("apple"));
  EXPECT_EQ(page("/f").size(), 5u);
  EXPECT_EQ(page("/f?page_size=99999999999&page_token=").size(), 5u);
}

TEST_F(paging, GoesOnWhereWhatATokenNamesIsGone) {
  EXPECT_THAT(page("/f?page_token=" + page_token_of("fruit", "blueberry")),
              ElementsAre("cherry", "date", "fig"));
  EXPECT_THAT(page("/f?page_token=" + page_token_of("fruit", "pear")),
              ElementsAre());
}

TEST_F(paging, TakesNoTokenOfAnotherList) {
  const auto good = page_token_of("fruit", "fig");
  for (const auto& token :
       {std::string{"x"}, page_token_of("nuts", "fig"), good + "6", good + "61",
        good.substr(1), std::string{"%00"}, page_token_of("fruit", ""),
        std::string(3000, '0')}) {
    page_request asked;
    const auto fault = read("/f?page_token=" + token, asked);
    ASSERT_TRUE(fault) << token;
    EXPECT_EQ(fault->code, problem_code::invalid_page_token) << token;
  }
}

TEST_F(paging, NamesWhatItDoesNotKnow) {
  page_request asked;

  const auto fault = read("/f?page_size=many&page=2", asked);

  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->code, problem_code::invalid_params);
  EXPECT_EQ(fault->errors.size(), 2u);
}

} // namespace troupe::net
