#include "event_fixture.hpp"

namespace troupe::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(EventEnds, SpeaksTheSubprotocolAndSendsSnapshotThenEvents) {
  const auto a = job("a", store::job_state::running);
  tell(actors::job_event_type::started, a);
  ws_client client{port};

  const auto first = subscribe(client, "job:a");
  tell(actors::job_event_type::succeeded,
       job("a", store::job_state::succeeded));
  const auto second = parse(client.text());

  EXPECT_THAT(
    client.answer_head(),
    ::testing::AllOf(StartsWith("HTTP/1.1 101 "), HasSubstr("troupe.v1\r\n")));
  EXPECT_EQ(word(first, "op"), "subscribed");
  EXPECT_EQ(word(first.at("snapshot"), "id"), "a");
  EXPECT_EQ(word(second, "type"), "job.succeeded");
  EXPECT_EQ(offset(second), offset(first) + 1);
  EXPECT_THAT(metrics.text(), HasSubstr("websocket"));
}

TEST_F(EventEnds, SendsExactlyTheFiftyEventsThatWereMissed) {
  std::string epoch;
  std::int64_t at = 0;
  {
    ws_client first{port};
    const auto answer = subscribe(first, "jobs");
    epoch = word(answer, "epoch");
    at = offset(answer);
  }
  tell_jobs(50);
  ws_client again{port};

  const auto answer =
    subscribe(again, "jobs",
              R"(,"epoch":")" + epoch + R"(","offset":)" + std::to_string(at));

  EXPECT_TRUE(answer.at("recovered").as_bool());
  for (int i = 0; i < 50; ++i) {
    const auto event = parse(again.text());
    EXPECT_EQ(offset(event), at + 1 + i);
    EXPECT_EQ(word(event.at("data"), "id"), "j" + std::to_string(i));
  }
}

/// Clients may be further behind than a socket holds.
struct LongReplays : EventEnds {
  LongReplays()
    : EventEnds{[] {
        config::event_settings made;
        made.client_bytes = 64u << 20;
        return made;
      }()} {}
};

TEST_F(LongReplays, MixNoLivesWhenOneEndsInTheirMidst) {
  constexpr int missed = 1500;
  const auto since = [](const std::string& life, std::int64_t offset) {
    return R"(,"epoch":")" + life + R"(","offset":)" + std::to_string(offset);
  };
  std::string life;
  std::int64_t at = 0;
  {
    ws_client first{port};
    const auto answer = subscribe(first, "jobs");
    life = word(answer, "epoch");
    at = offset(answer);
  }
  tell_jobs(missed, 8000);
  ws_client client{port, 4096};
  ASSERT_TRUE(
    subscribe(client, "jobs", since(life, at)).at("recovered").as_bool());

  gateway.restart_hub();
  std::int64_t seen = 0;
  ws_frame frame;
  while ((frame = client.read()).opcode == 1) {
    const auto event = parse(frame.payload);
    EXPECT_EQ(word(event, "epoch"), life);
    EXPECT_EQ(offset(event), at + ++seen);
  }

  EXPECT_EQ(frame.close_code(), 1011);
  EXPECT_GT(seen, 0);
  EXPECT_LT(seen, missed);
  ws_client again{port};
  const auto anew = subscribe(again, "jobs", since(life, at + seen));
  tell_jobs(1);
  const auto next = parse(again.text());
  EXPECT_FALSE(anew.at("recovered").as_bool());
  EXPECT_NE(word(anew, "epoch"), life);
  EXPECT_TRUE(anew.at("snapshot").is_object());
  EXPECT_EQ(word(next, "epoch"), word(anew, "epoch"));
  EXPECT_EQ(offset(next), offset(anew) + 1);
}

TEST_F(EventEnds, AnswersGarbageAndGoesOn) {
  ws_client client{port};
  for (const auto* garbage :
       {R"({"op":)", "[]", "7", "", R"({"op":"fly"})", R"({"op":"subscribe"})",
        R"({"op":"subscribe","topics":[]})",
        R"({"op":"subscribe","topics":[{"topic":7}]})",
        R"({"op":"subscribe","topics":[{"topic":"jobs","offset":-1}]})",
        R"({"op":"subscribe","topics":[{"topic":"zebra"}]})",
        R"({"op":"ping","id":{}})", R"({"op":"ping","wings":2})",
        R"({"op":"request","method":"rm","params":{}})"}) {
    client.send_text(garbage);
    EXPECT_EQ(word(parse(client.text()), "op"), "error") << garbage;
  }

  client.send_text(R"({"op":"ping","id":"x"})");
  EXPECT_EQ(client.text(), R"({"op":"pong","id":"x"})");
  client.send_frame(9, "beat");
  const auto pong = client.read();
  EXPECT_EQ(pong.opcode, 10);
  EXPECT_EQ(pong.payload, "beat");
}

TEST_F(EventEnds, ClosesWhatBreaksTheProtocolWithItsCode) {
  struct misuse {
    int opcode;
    std::string payload;
    bool masked;
    int code;
  };
  for (const auto& how :
       {misuse{2, "{}", true, 1003}, misuse{1, "\xFF\xFE", true, 1007},
        misuse{1, std::string(70000, ' '), true, 1009},
        misuse{1, "{}", false, 1002}, misuse{5, "", true, 1002}}) {
    ws_client client{port};
    client.send_frame(how.opcode, how.payload, how.masked);
    EXPECT_EQ(client.closed_with(), how.code);
  }
}

TEST_F(EventEnds, ClosesWhatIsTooLargeInPiecesToo) {
  ws_client client{port};

  client.send_frame(1 | ws_client::unfinished, std::string(60'000, ' '));
  client.send_frame(0, std::string(60'000, ' '));

  EXPECT_EQ(client.closed_with(), 1009);
}

TEST_F(EventEnds, TellsOfTooManyTopics) {
  std::string wish = R"({"op":"subscribe","id":1,"topics":[)";
  for (int i = 0; i < 2000; ++i)
    wish += (i ? ",\"" : "\"") + ("job:" + std::to_string(i)) + "\"";
  ws_client client{port};

  client.send_text(wish + "]}");

  const auto answer = parse(client.text());
  EXPECT_EQ(word(answer, "op"), "error");
  EXPECT_EQ(word(answer, "code"), "invalid_params");
}

TEST_F(EventEnds, DoesWhatIsRequested) {
  ws_client client{port};
  client.send_text(R"({"op":"request","id":7,"method":"submit",)"
                   R"("params":{"type":"noop","params":{}}})");
  const auto submitted = parse(client.text());
  ASSERT_EQ(word(submitted, "op"), "response") << submitted;
  const auto id = word(submitted.at("result"), "id");

  client.send_text(R"({"op":"request","id":8,"method":"get","params":{"id":")"
                   + id + R"("}})");
  const auto got = parse(client.text());
  client.send_text(R"({"op":"request","id":9,"method":"get",)"
                   R"("params":{"id":"unknown"}})");
  const auto unknown = parse(client.text());
  client.send_text(R"({"op":"request","id":10,"method":"submit",)"
                   R"("params":{"type":"zebra","params":{}}})");
  const auto refused = parse(client.text());
  client.send_text(R"({"op":"request","id":11,"method":"list","params":{}})");
  const auto list = parse(client.text());

  EXPECT_EQ(submitted.at("id").to_number<int>(), 7);
  EXPECT_EQ(word(got.at("result"), "id"), id);
  EXPECT_EQ(word(unknown, "code"), "not_found");
  EXPECT_EQ(unknown.at("id").to_number<int>(), 9);
  EXPECT_EQ(word(refused, "code"), "unknown_job_type");
  EXPECT_EQ(list.at("result").at("jobs").as_array().size(), 1u);
}

TEST_F(EventEnds, ClosesAClientThatDoesNotReadWith4008) {
  ws_client client{port, 4096};
  const auto at = offset(subscribe(client, "jobs"));
  tell_jobs(3000, 8000);

  std::int64_t seen = 0;
  ws_frame frame;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (metrics.text().find("slow_consumer") == std::string::npos
         && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  while ((frame = client.read()).opcode == 1)
    EXPECT_EQ(offset(parse(frame.payload)), at + ++seen);

  EXPECT_EQ(frame.close_code(), 4008);
  EXPECT_LT(seen, 3000);
}

TEST_F(EventEnds, TakesNoMoreRequestsThanItMayHoldTheAnswersOf) {
  gateway.jobs.hold();
  ws_client client{port};
  for (int i = 0; i < 30; ++i)
    client.send_text(R"({"op":"request","id":)" + std::to_string(i)
                     + R"(,"method":"list","params":{}})");
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (gateway.jobs.held() == 0
         && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  ws_client other{port};
  other.send_text(R"({"op":"ping","id":1})");
  EXPECT_EQ(word(parse(other.text()), "op"), "pong");

  EXPECT_EQ(gateway.jobs.held(), 1u);
  gateway.jobs.release();
  for (int i = 0; i < 30; ++i)
    EXPECT_EQ(parse(client.text()).at("id").to_number<int>(), i);
}

TEST_F(EventEnds, ClosesAClientThatDoesNotReadItsAnswersWith4008) {
  auto large = job("large", store::job_state::queued);
  large.params = R"({"payload":")" + std::string(1 << 20, 'x') + R"("})";
  gateway.jobs.add(large);
  ws_client client{port, 4096};
  for (int i = 0; i < 60; ++i)
    client.send_text(
      R"({"op":"request","id":1,"method":"get","params":{"id":"large"}})");

  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (metrics.text().find("write_timeout") == std::string::npos
         && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  int answers = 0;
  ws_frame frame;
  while ((frame = client.read()).opcode == 1)
    ++answers;

  EXPECT_EQ(frame.close_code(), 4008);
  EXPECT_LT(answers, 30) << "the others were not even asked for";
}

TEST_F(EventEnds, WaitsBrieflyForAClientThatDoesNotAnswerAClose) {
  ws_client client{port};
  subscribe(client, "jobs");

  client.send_frame(2, "bytes");
  EXPECT_EQ(client.closed_with(), 1003);
  const auto from = std::chrono::steady_clock::now();
  EXPECT_EQ(client.read().opcode, -1);

  EXPECT_LT(std::chrono::steady_clock::now() - from, 5s);
}

TEST_F(EventEnds, TakesATopicThatStandsTwiceOnce) {
  ws_client client{port};

  client.send_text(
    R"({"op":"subscribe","id":1,"topics":["jobs",{"topic":"jobs"},"nodes"]})");
  const auto first = parse(client.text());
  const auto second = parse(client.text());
  client.send_text(R"({"op":"ping","id":2})");

  EXPECT_EQ((std::set{word(first, "topic"), word(second, "topic")}),
            (std::set<std::string>{"jobs", "nodes"}));
  EXPECT_EQ(word(parse(client.text()), "op"), "pong");
}

TEST_F(EventEnds, TellsANameThatNoTopicHasFromOneThatNobodyKnows) {
  ws_client client{port};
  for (const auto* name :
       {"stream:a/b", "batch:a.b", "job:../x", "owner:", "streams:x"}) {
    client.send_text(R"({"op":"subscribe","id":1,"topics":[{"topic":")"
                     + std::string{name} + R"("}]})");
    const auto told = parse(client.text());
    EXPECT_EQ(word(told, "op"), "error") << name;
    EXPECT_EQ(word(told, "code"), "invalid_params") << name;
  }
  for (const auto* name : {"stream:x", "owner:x", "queue:x"}) {
    client.send_text(R"({"op":"subscribe","id":1,"topics":[{"topic":")"
                     + std::string{name} + R"("}]})");
    EXPECT_EQ(word(parse(client.text()), "op"), "subscribed") << name;
  }
}

TEST_F(EventEnds, SaysGoodbyeWhenTheServerStops) {
  ws_client client{port};
  subscribe(client, "jobs");

  running->stop(2s);

  EXPECT_EQ(client.closed_with(), 1001);
}

} // namespace
} // namespace troupe::net
