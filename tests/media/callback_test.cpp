#include "loopback.hpp"
#include "media/callback/sender.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace troupe::media {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

address_guard open_guard() {
  config::source_settings sources;
  sources.allow = {"127.0.0.1/32"};
  return address_guard{sources};
}

std::string url_of(const origin& at, const std::string& host = "127.0.0.1") {
  return "http://" + host + ":" + std::to_string(at.port) + "/hook";
}

/// Answers each request with what it is told; keeps what it got.
struct receiver {
  std::string reply = "HTTP/1.1 204 No Content\r\n\r\n";
  std::mutex mutex = {};
  std::vector<std::string> heads = {}, bodies = {};

  void serve(peer& from) {
    for (;;) {
      auto [head, body] = from.read_response();
      if (head.empty())
        return;
      const std::lock_guard lock{mutex};
      heads.push_back(std::move(head));
      bodies.push_back(std::move(body));
      if (!from.send(reply))
        return;
    }
  }
};

struct deliveries : ::testing::Test {
  receiver at;
  origin there{"127.0.0.1", [this](peer& from) {
                 at.serve(from);
               }};
  config::callback_settings settings{"s3cret", 5, 12};

  callback_answer post(callback_sender& sender, callback_post what) {
    std::promise<callback_answer> heard;
    auto answer = heard.get_future();
    sender.post(std::move(what), [&heard](callback_answer said) {
      heard.set_value(std::move(said));
    });
    if (answer.wait_for(20s) != std::future_status::ready) {
      ADD_FAILURE() << "nothing was heard";
      return {};
    }
    return answer.get();
  }

  callback_answer post(const std::string& url) {
    callback_sender sender{settings, open_guard()};
    return post(sender, {url, "e1", "job.succeeded", R"({"id":"j1"})"});
  }
};

std::string field(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == head.npos)
    return {};
  const auto from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

TEST_F(deliveries, CarryTheEventAndASignatureOverTimeAndBody) {
  const auto said = post(url_of(there));

  EXPECT_EQ(said.status, 204);
  EXPECT_EQ(verdict_on(said), callback_verdict::delivered);
  ASSERT_EQ(at.heads.size(), 1u);
  const auto& head = at.heads.front();
  EXPECT_THAT(head, HasSubstr("POST /hook HTTP/1.1\r\n"));
  EXPECT_EQ(field(head, "Content-Type"), "application/json");
  EXPECT_EQ(field(head, "Troupe-Event-Id"), "e1");
  EXPECT_EQ(field(head, "Troupe-Event"), "job.succeeded");
  EXPECT_EQ(at.bodies.front(), R"({"id":"j1"})");
  EXPECT_EQ(field(head, "Troupe-Signature"),
            callback_signature("s3cret", field(head, "Troupe-Timestamp"),
                               at.bodies.front()));
}

TEST_F(deliveries, AreNotSignedWithoutASecret) {
  settings.secret.clear();

  post(url_of(there));

  ASSERT_EQ(at.heads.size(), 1u);
  EXPECT_THAT(at.heads.front(), Not(HasSubstr("Troupe-Signature")));
}

TEST_F(deliveries, DoNotFollowRedirects) {
  at.reply = "HTTP/1.1 307 Temporary Redirect\r\nLocation: " + url_of(there)
             + "\r\nContent-Length: 0\r\n\r\n";

  const auto said = post(url_of(there));

  EXPECT_EQ(said.status, 307);
  EXPECT_EQ(verdict_on(said), callback_verdict::again);
  EXPECT_EQ(at.heads.size(), 1u);
}

TEST_F(deliveries, TellWhatTheReceiverAskedFor) {
  at.reply = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n"
             "Content-Length: 0\r\n\r\n";

  const auto said = post(url_of(there));

  EXPECT_EQ(said.status, 503);
  EXPECT_EQ(said.retry_after_s, 7);
}

TEST_F(deliveries, DoNotReachAnAddressThatIsRefused) {
  callback_sender sender{settings, address_guard{config::source_settings{}}};

  const auto literal = post(sender, {url_of(there), "e", "x", "{}"});
  const auto named = post(sender, {url_of(there, "localhost"), "e", "x", "{}"});

  EXPECT_TRUE(literal.forbidden);
  EXPECT_TRUE(named.forbidden);
  EXPECT_EQ(verdict_on(named), callback_verdict::never);
  EXPECT_EQ(there.connections, 0);
}

TEST_F(deliveries, DoNotUseAProxyOfTheEnvironment) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);

  const auto said = post(url_of(there));

  ::unsetenv("http_proxy");
  EXPECT_EQ(said.status, 204);
}

TEST_F(deliveries, KeepTheConnectionForTheNext) {
  callback_sender sender{settings, open_guard()};

  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(post(sender, {url_of(there), "e", "x", "{}"}).status, 204);

  EXPECT_EQ(there.connections, 1);
}

TEST_F(deliveries, EndWhenNobodyAnswersInTime) {
  settings.timeout_s = 0.2;
  origin silent{"127.0.0.1", [](peer& from) {
                  from.read_all();
                }};

  const auto said = post(url_of(silent));

  EXPECT_EQ(said.status, 0);
  EXPECT_FALSE(said.error.empty());
  EXPECT_EQ(verdict_on(said), callback_verdict::again);
}

TEST_F(deliveries, AreAnsweredThoughTheAnswerHasNoEnd) {
  origin chatty{"127.0.0.1", [](peer& from) {
                  from.read_response();
                  from.send("HTTP/1.1 200 OK\r\n\r\n");
                  while (from.send(std::string(8192, 'x')))
                    continue;
                }};

  const auto said = post(url_of(chatty));

  EXPECT_EQ(said.status, 200);
}

TEST_F(deliveries, UnderWayDoNotHoldUpTheEnd) {
  origin silent{"127.0.0.1", [](peer& from) {
                  from.read_all();
                }};
  const auto begun = std::chrono::steady_clock::now();
  {
    settings.timeout_s = 60;
    callback_sender sender{settings, open_guard()};
    sender.post({url_of(silent), "e", "x", "{}"},
                [](const callback_answer&) { ADD_FAILURE() << "heard"; });
    while (silent.connections == 0)
      std::this_thread::yield();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
}

TEST(CallbackSignature, IsHmacSha256InHex) {
  // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
  EXPECT_EQ(callback_signature("key", "1700000000", R"({"a":1})"),
            "sha256="
            "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
}

TEST(CallbackRules, TellWhatMayPassFromWhatWillNot) {
  const auto on = [](long status) {
    return verdict_on({status, {}, false, 0});
  };

  for (const auto status : {200, 201, 204, 299})
    EXPECT_EQ(on(status), callback_verdict::delivered) << status;
  for (const auto status : {0, 302, 408, 425, 429, 500, 503})
    EXPECT_EQ(on(status), callback_verdict::again) << status;
  for (const auto status : {400, 401, 404, 410, 422})
    EXPECT_EQ(on(status), callback_verdict::never) << status;
}

TEST(CallbackRules, DoubleTheWaitUpToAnHour) {
  EXPECT_EQ(callback_wait(1, 0, 0.5), 2s);
  EXPECT_EQ(callback_wait(2, 0, 0.5), 4s);
  EXPECT_EQ(callback_wait(5, 0, 0.5), 32s);
  EXPECT_EQ(callback_wait(4000000000u, 0, 0.5), 1h);
  EXPECT_EQ(callback_wait(1, 0, 0), 1600ms);
  EXPECT_EQ(callback_wait(1, 0, 1), 2400ms);
  EXPECT_EQ(callback_wait(1, 90, 0.5), 90s);
  EXPECT_EQ(callback_wait(1, 1e9, 0.5), 1h);
}

} // namespace
} // namespace troupe::media
