#include "net/job_submit.hpp"
#include "net/params_schema.hpp"
#include "net/rfc3339.hpp"
#include "net/router.hpp"
#include "net/source_url.hpp"
#include "net/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace troupe::net {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

namespace {

constexpr media::job_type sample{
  "sample", "bulk", "", R"({"type":"object","additionalProperties":false,
    "required":["url"],
    "properties":{
      "url":{"type":"string","pattern":"^https?://"},
      "quality":{"enum":["best","audio"]},
      "list":{"type":"array","maxItems":2,"items":{"type":"integer"}},
      "inner":{"type":"object","additionalProperties":false,
               "properties":{"a":{"type":"boolean"}}}}})",
  "{}"};

std::vector<std::pair<std::string, std::string>>
told_in(const media::job_type& type, std::string_view params) {
  const params_schema schema{type};
  json_parser parser;
  simdjson::dom::element document;
  EXPECT_FALSE(parser.parse(params, document));
  field_errors errors;
  schema.check(simdjson::dom::object{document}, "/params", errors);
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& each : errors.take())
    out.emplace_back(std::move(each.pointer), std::move(each.detail));
  return out;
}

std::vector<std::string> wrong_in(std::string_view params) {
  std::vector<std::string> out;
  for (auto& [pointer, detail] : told_in(sample, params))
    out.push_back(std::move(pointer));
  return out;
}

class job_reading : public testing::Test {
protected:
  std::vector<std::string> pointers(std::string_view body) {
    auto read = reader.read(body);
    std::vector<std::string> out;
    if (const auto* what = std::get_if<problem>(&read))
      for (const auto& each : what->errors)
        out.push_back(each.pointer);
    return out;
  }
  store::job_draft draft(std::string_view body) {
    auto read = reader.read(body);
    if (const auto* what = std::get_if<problem>(&read))
      ADD_FAILURE() << to_json(*what);
    const auto* asked = std::get_if<submit_request>(&read);
    return asked ? asked->draft : store::job_draft{};
  }
  problem_code refused(std::string_view body) {
    auto read = reader.read(body);
    const auto* what = std::get_if<problem>(&read);
    return what ? what->code : problem_code::internal;
  }

  config::source_settings sources;
  media::address_guard guard{sources};
  submit_reader reader{guard};
};

} // namespace

TEST(params_schema, NamesEveryWrongMemberOnce) {
  EXPECT_THAT(wrong_in(R"({"url":"https://x"})"), ElementsAre());
  EXPECT_THAT(wrong_in("{}"), ElementsAre("/params/url"));
  EXPECT_THAT(wrong_in(R"({"url":"ftp://x","quality":"good","zz":1,"yy":2,
                           "list":[1,"a"],"inner":{"a":1,"b":2}})"),
              UnorderedElementsAre("/params/url", "/params/quality",
                                   "/params/zz", "/params/yy", "/params/list/1",
                                   "/params/inner/a", "/params/inner/b"));
}

TEST(params_schema, SaysWhatEachPlaceMustBeInOneSentence) {
  static constexpr media::job_type worded{"worded", "bulk", "",
                                          R"({"type":"object","properties":{
      "name":{"type":"string","minLength":2,"maxLength":4,"pattern":"^a"},
      "code":{"type":"string","pattern":"^b","description":"A letter."},
      "kind":{"enum":["best","audio"]},
      "maybe":{"type":["integer","null"]},
      "list":{"type":"array","maxItems":2,"items":{"type":"integer",
              "minimum":0,"maximum":9}},
      "above":{"type":"number","exclusiveMinimum":0}}})",
                                          "{}"};

  EXPECT_THAT(told_in(worded, R"({"name":"xy","code":"c","kind":"x","maybe":"y",
                        "list":[-1,"z",3],"above":0})"),
              UnorderedElementsAre(
                Pair("/params/name", "must match ^a"),
                Pair("/params/code", "does not have the right form: A letter."),
                Pair("/params/kind", "must be best or audio"),
                Pair("/params/maybe", "must be an integer or null"),
                Pair("/params/list", "must have at most 2 entries"),
                Pair("/params/list/0", "must be from 0 to 9"),
                Pair("/params/list/1", "must be an integer"),
                Pair("/params/above", "must be more than 0")));
  EXPECT_THAT(told_in(worded, R"({"name":"abcde"})"),
              ElementsAre(Pair("/params/name", "must have 2 to 4 characters")));
  EXPECT_THAT(told_in(worded, R"({"name":7})"),
              ElementsAre(Pair("/params/name", "must be a string")));
}

TEST(params_schema, TellsOfManyWrongItemsInNoTime) {
  static constexpr media::job_type many{"many", "bulk", "",
                                        R"({"type":"object","properties":{
      "list":{"type":"array","maxItems":10000,"items":{"type":"integer"}}}})",
                                        "{}"};
  std::string items = "\"x\"";
  for (int i = 1; i < 10'000; ++i)
    items += ",\"x\"";
  const auto begun = std::chrono::steady_clock::now();

  EXPECT_EQ(told_in(many, R"({"list":[)" + items + "]}").size(), 10'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
}

TEST(field_errors, KeepNoMoreThanAnybodyReads) {
  field_errors many, long_ones;

  for (int i = 0; i < 20'000; ++i) {
    many.add("/" + std::to_string(i), "is wrong");
    long_ones.add("/" + std::to_string(i) + std::string(1000, 'a'), "is wrong");
  }

  EXPECT_EQ(many.take().size(), 10'000u);
  EXPECT_LT(long_ones.take().size(), 1100u);
}

TEST_F(job_reading, TakesNoTimeForWhatLiesInLongNames) {
  const std::string name(400'000, 'a');
  std::string lists = "[]", twice = R"("b":1,"b":1)", members = R"("b":1)",
              numbers;
  for (int i = 0; i < 100'000; ++i)
    lists += ",[]";
  for (int i = 0; i < 30'000; ++i) {
    const auto one = ",\"" + std::to_string(i) + "\":1";
    twice += one + one;
    numbers += ",1e999";
    members += one;
  }
  const auto begun = std::chrono::steady_clock::now();

  const auto within = [&](std::string_view type, const std::string& field,
                          const std::string& what) {
    (void)pointers(R"({"type":")" + std::string{type} + R"(","params":{")"
                   + field + R"(":{")" + name + "\":" + what + "}}}");
  };
  within("noop", "payload", '[' + lists + ']');
  within("noop", "payload", '{' + twice + '}');
  within("noop", "payload", "[1e999" + numbers + ']');
  within("download", "url", '{' + members + '}');

  EXPECT_LT(std::chrono::steady_clock::now() - begun, 1s);
}

TEST(params_schema, MatchesNoPatternOnEndlessText) {
  const std::string endless = "http://" + std::string(200'000, 'a');

  EXPECT_THAT(wrong_in(R"({"url":")" + endless + "\"}"),
              ElementsAre("/params/url"));
}

TEST_F(job_reading, TakesEveryMemberOfTheContract) {
  const auto read = draft(R"({"type":"noop","params":{"payload":{"a":[1]}},
    "priority":9,"run_at":"2030-01-02T03:04:05.678Z","delay_s":null,
    "timeout_s":1.5,"max_attempts":7,
    "backoff":{"initial_s":1,"factor":3,"max_s":9,"jitter":0},
    "unique_key":"u","concurrency_key":"c","depends_on":[],
    "on_parent_failure":"fail","tags":["a","b"],"durability":null,
    "durability_strict":false,"callback_url":null})");

  EXPECT_EQ(read.priority, 9);
  EXPECT_EQ(read.run_at, 1893553445678);
  EXPECT_EQ(read.timeout_s, 1.5);
  EXPECT_EQ(read.max_attempts, 7u);
  EXPECT_EQ(read.backoff, (store::backoff{1, 3, 9, 0}));
  EXPECT_EQ(read.unique_key, "u");
  EXPECT_EQ(read.concurrency_key, "c");
  EXPECT_THAT(read.tags, ElementsAre("a", "b"));
  EXPECT_EQ(read.params, R"({"payload":{"a":[1]}})");
  EXPECT_EQ(draft(R"({"type":"noop","params":{},"delay_s":2.5})").delay_ms,
            2500);
}

TEST_F(job_reading, RefusesNamesThatStandTwice) {
  EXPECT_THAT(pointers(R"({"type":"noop","type":"noop","params":{}})"),
              ElementsAre("/type"));
  EXPECT_THAT(
    pointers(R"({"type":"noop","params":{"payload":[{"a":1,"a":2}]}})"),
    ElementsAre("/params/payload/0/a"));
}

TEST_F(job_reading, RefusesWhatIsOutOfRange) {
  EXPECT_THAT(pointers(R"({"type":"noop","params":{},"priority":10,
    "max_attempts":18446744073709551615,"timeout_s":1e300,"delay_s":-1,
    "run_at":"tomorrow","durability":"stone","unique_key":""})"),
              UnorderedElementsAre("/priority", "/max_attempts", "/timeout_s",
                                   "/delay_s", "/run_at", "/durability",
                                   "/unique_key"));
  EXPECT_EQ(refused(R"({"type":"noop","params":{},"priority":1e999})"),
            problem_code::invalid_params);
}

TEST_F(job_reading, RefusesNestingWithoutEnd) {
  const std::string open(100'000, '['), closed(100'000, ']');
  const std::string begin = R"({"type":"noop","params":{"payload":)";
  EXPECT_EQ(refused(begin + open + closed + "}}"),
            problem_code::invalid_params);
  EXPECT_EQ(refused(begin + open), problem_code::invalid_json);
  EXPECT_EQ(refused(""), problem_code::invalid_json);
}

TEST_F(job_reading, ReadsAKeyOnlyWhereItMayStand) {
  const auto* body = R"({"type":"noop","params":{},"idempotency_key":"k"})";

  EXPECT_THAT(pointers(body), ElementsAre("/idempotency_key"));
  auto read = reader.read(body, true);
  ASSERT_TRUE(std::holds_alternative<submit_request>(read));
  EXPECT_EQ(std::get<submit_request>(read).idempotency_key, "k");
}

TEST_F(job_reading, KnowsSourcesByTheirText) {
  for (const auto* good : {"https://example.com/a?b=c#d",
                           "http://93.184.216.34:8080/", "https://example.com"})
    EXPECT_FALSE(source_url_fault(good, guard)) << good;
  for (const auto* bad :
       {"", "example.com", "ftp://example.com/", "http://", "http:///x",
        "http://a b/", "//x/", "http://example.com:99999/"})
    EXPECT_TRUE(source_url_fault(bad, guard)) << bad;
  for (const auto* inside :
       {"http://127.0.0.1/", "http://[::1]:80/", "http://10.0.0.1/",
        "http://0x7f.1/", "http://localhost/"}) {
    const auto fault = source_url_fault(inside, guard);
    ASSERT_TRUE(fault) << inside;
    EXPECT_EQ(fault->code, "source_forbidden") << inside;
  }
}

TEST(durability, IsComparedByStrength) {
  using enum store::durability;
  EXPECT_TRUE(suffices(disk, interval));
  EXPECT_TRUE(suffices(replica, disk));
  EXPECT_FALSE(suffices(local, disk));
  EXPECT_FALSE(suffices(memory, interval));
}

TEST(rfc3339, ReadsTimesOfAnyZone) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339("2024-02-29T12:30:00.1239+01:30"), 1709204400123);
  for (const auto* bad :
       {"", "2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "1969-12-31T23:59:59Z",
        "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00+1:00"})
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

TEST(target, IsTakenApartAndDecoded) {
  target out;
  ASSERT_TRUE(parse_target("/v1/a%2Fb/?x=1+2&y=%20&z", out));
  EXPECT_THAT(out.segments, ElementsAre("v1", "a/b", ""));
  EXPECT_THAT(out.query,
              ElementsAre(Pair("x", "1 2"), Pair("y", " "), Pair("z", "")));
  ASSERT_TRUE(parse_target("http://host/v1/jobs?q", out));
  EXPECT_EQ(out.path, "/v1/jobs");
  ASSERT_TRUE(parse_target("/", out));
  EXPECT_THAT(out.segments, ElementsAre());
  for (const auto* bad : {"", "v1", "/%f", "/a b", "/%ff", "ftp://h/x"})
    EXPECT_FALSE(parse_target(bad, out)) << bad;
  std::string deep;
  for (int i = 0; i < 1024; ++i)
    deep += "/a";
  EXPECT_TRUE(parse_target(deep, out));
  EXPECT_FALSE(parse_target(deep + "/a", out));
}

TEST(router, PrefersTheRouteThatStandsFirst) {
  static constexpr std::array routes{
    route{verb::get, "/v1/jobs/{id}", nullptr},
    route{verb::del, "/v1/jobs/{id}", nullptr},
    route{verb::get, "/v1/jobs/{id}/files/{name}", nullptr},
  };
  const router table{routes};
  target where;

  ASSERT_TRUE(parse_target("/v1/jobs/7/files/a%20b", where));
  const auto found = table.find(verb::head, where);
  ASSERT_TRUE(found.route);
  EXPECT_EQ(found.pattern, "/v1/jobs/{id}/files/{name}");
  EXPECT_EQ(found.params["id"], "7");
  EXPECT_EQ(found.params["name"], "a b");

  ASSERT_TRUE(parse_target("/v1/jobs/7", where));
  EXPECT_EQ(table.find(verb::post, where).allow, "GET, HEAD, DELETE, OPTIONS");
  ASSERT_TRUE(parse_target("/v1/jobs/", where));
  EXPECT_EQ(table.find(verb::get, where).allow, "");
}

TEST(problem, EscapesPointersAndText) {
  EXPECT_EQ(pointer_to("/a", "b/c~d"), "/a/b~1c~0d");
  const auto text =
    to_json({problem_code::invalid_params, "a \"b\"", {{"/x", "y\n", "z"}}});
  EXPECT_THAT(text, HasSubstr(R"("detail":"a \"b\"")"));
  EXPECT_THAT(text,
              HasSubstr(R"([{"pointer":"/x","detail":"y\n","code":"z"}])"));
}

} // namespace troupe::net
