#pragma once

#include "media/egress/address_guard.hpp"
#include "media/egress/proxy.hpp"
#include "tests/media/loopback.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

namespace troupe::media {

inline std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6)
      text += digits[bits >> (count - 6) & 63];
  }
  if (count > 0)
    text += digits[bits << (6 - count) & 63];
  return text;
}

inline std::string answer(const std::string& status, const std::string& fields,
                          const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + fields
         + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Answers each request of a connection with what it was asked.
inline void echo_heads(peer& client) {
  for (;;) {
    const auto head = client.read_through("\r\n\r\n");
    if (head.empty() || !client.send(answer("200 OK", "", head)))
      return;
  }
}

inline void echo_bytes(peer& client) {
  for (;;) {
    const auto byte = client.read_exactly(1);
    if (byte.empty())
      break;
    client.send(byte);
  }
  client.send("end");
}

inline origin::serve sending(std::size_t size) {
  return [size](peer& client) {
    client.read_through("\r\n\r\n");
    client.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size)
                + "\r\n\r\n");
    const std::string block(64u << 10, 'x');
    for (std::size_t sent = 0; sent < size; sent += block.size())
      if (!client.send(std::string_view{block}.substr(
            0, std::min(block.size(), size - sent))))
        return;
  };
}

/// Names and what they resolve to, one answer after the other; the last stays.
class name_server {
public:
  void set(const std::string& host, std::vector<std::string> answers) {
    const std::lock_guard guarded{mutex_};
    names_[host] = {answers.begin(), answers.end()};
  }
  resolve_function function() {
    return [this](const std::string& host) {
      return resolve(host);
    };
  }
  std::atomic<int> asked{0};

private:
  result<std::vector<boost::asio::ip::address>>
  resolve(const std::string& host) {
    ++asked;
    const std::lock_guard guarded{mutex_};
    auto& answers = names_[host];
    if (answers.empty())
      return fail(errc::source_not_found, host + ": unknown");
    std::vector<boost::asio::ip::address> found;
    std::istringstream words{answers.front()};
    for (std::string word; words >> word;)
      found.push_back(boost::asio::ip::make_address(word));
    if (answers.size() > 1)
      answers.pop_front();
    return found;
  }

  std::mutex mutex_;
  std::map<std::string, std::deque<std::string>> names_;
};

/// A proxy that lets in 127.0.0.2 alone.
class egress : public testing::Test {
protected:
  explicit egress(egress_options options = {}) {
    options.resolve = names_.function();
    config::source_settings settings;
    settings.allow = {"127.0.0.2/32"};
    proxy_ = std::make_unique<egress_proxy>(threads_, address_guard{settings},
                                            std::move(options));
    EXPECT_TRUE(proxy_->start());
    account_ = proxy_->open({});
  }

  void limit(egress_policy policy) {
    account_ = proxy_->open(policy);
  }

  [[nodiscard]] peer connect() const {
    return {"127.0.0.1", proxy_->port()};
  }
  /// The field that says whose request it is.
  [[nodiscard]] std::string credentials() const {
    const auto url = account_->url();
    const auto user = url.substr(7, url.find('@') - 7);
    return "Proxy-Authorization: Basic " + base64(user) + "\r\n";
  }
  [[nodiscard]] std::string get(const std::string& url,
                                const std::string& fields = "") const {
    return "GET " + url + " HTTP/1.1\r\nHost: x\r\n" + credentials() + fields
           + "\r\n";
  }
  [[nodiscard]] std::string tunnel_to(const std::string& authority) const {
    return "CONNECT " + authority + " HTTP/1.1\r\n" + credentials() + "\r\n";
  }
  static std::string url_of(const origin& server, const std::string& path = "/",
                            const std::string& host = "127.0.0.2") {
    return "http://" + host + ":" + std::to_string(server.port) + path;
  }

  /// One request on a connection of its own.
  std::pair<std::string, std::string> fetch(const std::string& url) {
    auto client = connect();
    client.send(get(url));
    return client.read_response();
  }

  template <class Condition>
  static bool eventually(Condition&& holds) {
    const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (std::chrono::steady_clock::now() < deadline) {
      if (holds())
        return true;
      std::this_thread::yield();
    }
    return false;
  }

  name_server names_;
  runtime threads_;
  std::unique_ptr<egress_proxy> proxy_;
  std::unique_ptr<egress_account> account_;
};

inline constexpr auto established =
  "HTTP/1.1 200 Connection established\r\n\r\n";

} // namespace troupe::media
