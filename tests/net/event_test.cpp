#include "fake_gateway.hpp"
#include "raw_client.hpp"
#include "ws_client.hpp"

#include "actors/client.hpp"
#include "actors/hub.hpp"
#include "net/event_stream.hpp"
#include "net/server.hpp"

#include <boost/json.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace troupe::net {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace json = boost::json;

/// Answers what client actors ask of the queue from the gateway's jobs.
actors::queue_actor::behavior_type jobs_queue(actors::queue_actor::pointer,
                                              fake_gateway* jobs) {
  using namespace actors;
  return {
    [](const submit_request&) {},
    [](const job_command&) {},
    [jobs](const get_request& ask) { jobs->get(ask.id, ask.reply); },
    [jobs](const list_request& ask) { jobs->list(ask.query, ask.reply); },
    [jobs](const depths_request& ask) { jobs->depths(ask.reply); },
    [](const announce&) {},
    [](const room&) {},
    [](const settle_request&) { return settle_reply{}; },
    [](const progress_report&) {},
    [](const wiring&) {},
    [](const drain_request&) { return drained{}; },
  };
}

struct actor_config : caf::actor_system_config {
  actor_config() {
    add_message_types<caf::id_block::troupe>();
    set("scheduler.max-threads", 1);
  }
};

/// Jobs from a map, events from a real hub with real client actors.
class event_gateway final : public actors::gateway {
public:
  explicit event_gateway(const config::event_settings& settings)
    : settings_{settings}, hub{actors::spawn_hub(system, settings)},
      queue{system.spawn(jobs_queue, &jobs)} {}

  ~event_gateway() override {
    caf::anon_send_exit(hub, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(queue, caf::exit_reason::user_shutdown);
  }

  void submit(store::submit_op op,
              actors::reply_to<actors::submit_reply> reply) override {
    jobs.submit(std::move(op), std::move(reply));
  }
  void command(actors::job_command_kind kind, std::string id,
               actors::reply_to<store::job> reply) override {
    jobs.command(kind, std::move(id), std::move(reply));
  }
  void get(std::string id, actors::reply_to<store::job> reply) override {
    jobs.get(std::move(id), std::move(reply));
  }
  void list(store::list_query query,
            actors::reply_to<store::job_page> reply) override {
    jobs.list(std::move(query), std::move(reply));
  }
  void
  depths(actors::reply_to<std::vector<store::queue_depth>> reply) override {
    jobs.depths(std::move(reply));
  }
  void extract(std::string url,
               actors::reply_to<actors::extract_reply> reply) override {
    jobs.extract(std::move(url), std::move(reply));
  }
  void figures(actors::reply_to<actors::hub_figures> reply) override {
    caf::anon_send(
      hub, actors::figures_request{actors::answer<actors::hub_figures>{reply}});
  }
  std::unique_ptr<actors::client_port>
  open_client(std::shared_ptr<actors::client_sink> sink) override {
    return actors::open_client(system, hub, queue, std::move(sink), settings_);
  }

  fake_gateway jobs;

private:
  config::event_settings settings_;
  actor_config config_;

public:
  caf::actor_system system{config_};
  actors::hub_actor hub;
  actors::queue_actor queue;
};

class EventEnds : public ::testing::Test {
protected:
  EventEnds() {
    settings.listen = "127.0.0.1:0";
    settings.write_timeout_s = 5;
    running = std::make_unique<server>(
      settings, server_parts{gateway, metrics, guard, "/nonexistent", {}, {}});
    const auto bound = running->listen();
    EXPECT_TRUE(bound) << bound.error().message();
    port = bound ? *bound : 0;
    running->run();
  }

  store::job job(const std::string& id, store::job_state state) {
    store::job made;
    made.id = id;
    made.type = made.queue = "download";
    made.state = state;
    made.fence.epoch = 1;
    gateway.jobs.add(made);
    return made;
  }

  void tell(actors::job_event_type type, store::job about) {
    caf::anon_send(gateway.hub, actors::event_batch{
                                  {{type, 1700000000000, std::move(about)}}});
  }

  /// So many created jobs: j0, j1, …
  void tell_jobs(int count, std::size_t params = 2) {
    for (int i = 0; i < count; ++i) {
      auto made = job("j" + std::to_string(i), store::job_state::queued);
      made.params = "{" + std::string(params, ' ') + "}";
      tell(actors::job_event_type::created, std::move(made));
    }
  }

  static json::value parse(const std::string& text) {
    boost::system::error_code error;
    auto out = json::parse(text, error);
    EXPECT_FALSE(error) << text;
    return out;
  }

  static std::string word(const json::value& from, const char* member) {
    const auto* at =
      from.is_object() ? from.as_object().if_contains(member) : nullptr;
    return at && at->is_string() ? std::string{at->as_string()} : "";
  }

  static std::int64_t offset(const json::value& from) {
    return from.as_object().at("offset").to_number<std::int64_t>();
  }

  /// The `subscribed` frame (or what came instead).
  json::value subscribe(ws_client& client, const std::string& topic,
                        const std::string& more = "") {
    client.send_text(R"({"op":"subscribe","id":1,"topics":[{"topic":")" + topic
                     + "\"" + more + "}]}");
    return parse(client.text());
  }

  config::http_settings settings;
  config::event_settings events;
  config::metrics metrics;
  config::source_settings sources;
  media::address_guard guard{sources};
  event_gateway gateway{events};
  std::uint16_t port = 0;
  std::unique_ptr<server> running;
};

// -- WebSocket ----------------------------------------------------------------

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

TEST_F(EventEnds, SaysGoodbyeWhenTheServerStops) {
  ws_client client{port};
  subscribe(client, "jobs");

  running->stop(2s);

  EXPECT_EQ(client.closed_with(), 1001);
}

// -- event streams ------------------------------------------------------------

/// A stream's lines as they come, taken apart by event.
class stream_client {
public:
  stream_client(std::uint16_t port, const std::string& topics,
                const std::string& last_id = "")
    : client_{port} {
    std::string ask = "GET /v1/events?topics=" + topics
                      + " HTTP/1.1\r\nHost: " + client_.host() + "\r\n";
    if (!last_id.empty())
      ask += "Last-Event-ID: " + last_id + "\r\n";
    client_.send(ask + "\r\n");
    head = client_.line();
    while (!client_.line().empty()) {
    }
  }

  struct event {
    std::string type, id, data;
  };

  event next() {
    event out;
    for (;;) {
      const auto line = client_.line();
      if (line.starts_with("event: "))
        out.type = line.substr(7);
      else if (line.starts_with("id: "))
        out.id = line.substr(4);
      else if (line.starts_with("data: "))
        out.data = line.substr(6);
      else if (line.empty() && (!out.data.empty() || client_.ended()))
        return out;
    }
  }

  std::string head;

private:
  raw_client client_;
};

TEST_F(EventEnds, StreamsEventsWithIdsOfAllTopics) {
  tell(actors::job_event_type::created, job("a", store::job_state::queued));
  stream_client client{port, "job:a,jobs"};
  const auto one = client.next();
  const auto two = client.next();

  tell(actors::job_event_type::started, job("a", store::job_state::running));
  const auto three = client.next();
  const auto four = client.next();

  EXPECT_THAT(client.head, HasSubstr("200"));
  EXPECT_EQ(one.type, "subscribed");
  EXPECT_EQ(two.type, "subscribed");
  EXPECT_EQ(three.type, "job.started");
  EXPECT_EQ(four.type, "job.started");
  const auto epoch = word(parse(four.data), "epoch");
  std::map<std::string, std::int64_t> at;
  for (const auto& each : {three, four})
    at[word(parse(each.data), "topic")] = offset(parse(each.data));
  EXPECT_EQ(four.id, epoch + ":" + std::to_string(at["job:a"]) + ","
                       + std::to_string(at["jobs"]));
}

TEST_F(EventEnds, ResumesAStreamByItsLastId) {
  std::string last;
  {
    stream_client client{port, "jobs"};
    last = client.next().id;
  }
  tell_jobs(50);

  stream_client again{port, "jobs", last};
  const auto first = again.next();
  std::vector<std::string> subjects;
  for (int i = 0; i < 50; ++i)
    subjects.push_back(word(parse(again.next().data).at("data"), "id"));

  EXPECT_TRUE(parse(first.data).at("recovered").as_bool());
  EXPECT_EQ(first.id, "") << "what follows it has not been seen yet";
  EXPECT_EQ(subjects.front(), "j0");
  EXPECT_EQ(subjects.back(), "j49");
}

TEST_F(EventEnds, TellsAStreamOfATopicThatIsNotThere) {
  stream_client client{port, "job:zz"};

  const auto event = client.next();

  EXPECT_EQ(event.type, "problem");
  EXPECT_EQ(word(parse(event.data), "code"), "not_found");
}

TEST_F(EventEnds, RefusesStreamsItCannotServe) {
  raw_client client{port};
  EXPECT_EQ(client.ask("GET", "/v1/events").status, 422);
  EXPECT_EQ(client.ask("GET", "/v1/events?topics=zebra").status, 422);
}

TEST(StreamRequest, TakesTopicsAndTheLastId) {
  const auto read = read_stream_request("job:a,jobs", "e1:17,5");

  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].topic, "job:a");
  EXPECT_EQ((*read)[0].epoch, "e1");
  EXPECT_EQ((*read)[0].offset, 17u);
  EXPECT_EQ((*read)[1].offset, 5u);
}

TEST(StreamRequest, RefusesWhatDoesNotFit) {
  std::string many = "job:0";
  for (int i = 1; i <= 32; ++i)
    many += ",job:" + std::to_string(i);
  for (const auto& topics : {std::string{}, many, std::string{"jobs,jobs"},
                             std::string{"jobs,"}, std::string{"job:"}})
    EXPECT_FALSE(read_stream_request(topics, "")) << topics;
  for (const auto* id : {"e", ":5", "e:", "e:x", "e:1,2", "e:-1", "e:1 "})
    EXPECT_FALSE(read_stream_request("jobs", id)) << id;
}

} // namespace
} // namespace troupe::net
