#include "event_fixture.hpp"

#include "net/event_stream.hpp"

namespace troupe::net {
namespace {

using ::testing::HasSubstr;

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

TEST_F(EventEnds, StreamsATopicThatStandsTwiceOnce) {
  stream_client client{port, "jobs,nodes,jobs"};

  const std::set topics{word(parse(client.next().data), "topic"),
                        word(parse(client.next().data), "topic")};
  tell_jobs(2);

  EXPECT_THAT(client.head, HasSubstr("200"));
  EXPECT_EQ(topics, (std::set<std::string>{"jobs", "nodes"}));
  EXPECT_EQ(word(parse(client.next().data).at("data"), "id"), "j0");
  EXPECT_EQ(word(parse(client.next().data).at("data"), "id"), "j1");
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

TEST_F(EventEnds, EndsAStreamWhoseTopicsMayBeHadLater) {
  caf::anon_send_exit(gateway.queue, caf::exit_reason::kill);
  stream_client client{port, "jobs"};

  const auto only = client.next();
  const auto end = client.next();

  EXPECT_THAT(client.head, HasSubstr("200"));
  EXPECT_EQ(only.type, "problem");
  EXPECT_EQ(word(parse(only.data), "code"), "store_unavailable");
  EXPECT_EQ(end.type, "") << "the connection is closed";
}

TEST_F(EventEnds, RefusesStreamsItCannotServe) {
  raw_client client{port};
  EXPECT_EQ(client.ask("GET", "/v1/events").status, 422);
  EXPECT_EQ(client.ask("GET", "/v1/events?topics=zebra").status, 422);
  const auto unknown = client.ask("GET", "/v1/events?topics=jobs,job:zz");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body,
              ::testing::HasSubstr("nothing is known by this name: job:zz"));
}

TEST_F(EventEnds, AnswersHeadOfAStreamAtOnce) {
  raw_client client{port};
  client.send("HEAD /v1/events?topics=jobs HTTP/1.1\r\nHost: " + client.host()
              + "\r\n\r\n");

  const auto answer = client.read(true);

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(answer.fields.count("content-length"), 0u);
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(EventEnds, SaysWhatAWebSocketNeeds) {
  raw_client client{port};
  const auto plain = client.ask("GET", "/v1/ws");
  EXPECT_EQ(plain.status, 426);
  EXPECT_EQ(plain.fields.at("content-type"), "application/problem+json");
  EXPECT_EQ(plain.fields.at("upgrade"), "websocket");
  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  const std::string rest = "Sec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  for (const auto* other :
       {"Upgrade: websocket\r\n", "Connection: close\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade\r\nUpgrade: xwebsocketx\r\n"}) {
    raw_client one{port};
    EXPECT_EQ(one.ask("GET", "/v1/ws", {}, other + rest).status, 426) << other;
  }
  raw_client old{port};
  old.send("GET /v1/ws HTTP/1.0\r\nHost: " + old.host() + "\r\n" + upgrade
           + rest + "\r\n");
  EXPECT_EQ(old.read().status, 426);
  EXPECT_EQ(
    client.ask("GET", "/v1/ws", {}, upgrade + "Sec-WebSocket-Version: 8\r\n")
      .status,
    426);
  EXPECT_EQ(
    client.ask("GET", "/v1/ws", {}, upgrade + "Sec-WebSocket-Version: 13\r\n")
      .status,
    400);
}

TEST_F(EventEnds, AWebSocketsKeyIsSixteenBytes) {
  const auto opened = [this](std::string_view key) {
    raw_client client{port};
    client.send("GET /v1/ws HTTP/1.1\r\nHost: " + client.host()
                + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                + std::string{key} + "\r\n\r\n");
    return client.read(true).status;
  };

  EXPECT_EQ(opened("dGhlIHNhbXBsZSBub25jZQ=="), 101);
  for (const auto* key :
       {"", "x", "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhl!HNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSBpdA=="})
    EXPECT_EQ(opened(key), 400) << key;
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

TEST(StreamRequest, TakesATopicThatStandsTwiceOnce) {
  std::string many = "jobs";
  for (int i = 0; i < 40; ++i)
    many += ",jobs";

  const auto read = read_stream_request("jobs,job:a,jobs", "e1:17,5");

  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].topic, "jobs");
  EXPECT_EQ((*read)[0].offset, 17u);
  EXPECT_EQ((*read)[1].topic, "job:a");
  EXPECT_EQ(read_stream_request(many, "")->size(), 1u);
  EXPECT_FALSE(read_stream_request("jobs,job:a,jobs", "e1:17,5,17"));
}

TEST(StreamRequest, RefusesWhatDoesNotFit) {
  std::string many = "job:0";
  for (int i = 1; i <= 32; ++i)
    many += ",job:" + std::to_string(i);
  for (const auto& topics :
       {std::string{}, many, std::string{"jobs,"}, std::string{"job:"}})
    EXPECT_FALSE(read_stream_request(topics, "")) << topics;
  for (const auto* id : {"e", ":5", "e:", "e:x", "e:1,2", "e:-1", "e:1 "})
    EXPECT_FALSE(read_stream_request("jobs", id)) << id;
}

} // namespace
} // namespace troupe::net
