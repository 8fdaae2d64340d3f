#pragma once

#include "fake_gateway.hpp"
#include "raw_client.hpp"

#include "net/server.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

namespace troupe::net {

/// The least of all jobs.
inline constexpr std::string_view noop = R"({"type":"noop","params":{}})";

/// A real server on a free port, in front of a fake gateway.
class server_test : public testing::Test {
protected:
  server_test();
  ~server_test() override;

  /// Stops what runs and starts anew with the settings as they are now.
  void restart();
  [[nodiscard]] raw_client connect() const {
    return raw_client{port};
  }
  /// Fails if the document does not tell that the answer may be such.
  raw_answer ask(std::string_view method, std::string_view target,
                 std::string_view body = {}, std::string_view fields = {});
  raw_answer submit(std::string_view body, std::string_view fields = {}) {
    return ask("POST", "/v1/jobs", body, fields);
  }

  /// A finished job, `done`, whose result names a file of the library.
  void leave_file(const std::string& name, std::string_view content);

  config::http_settings settings;
  fake_gateway gateway;
  config::metrics metrics;
  config::source_settings sources;
  media::address_guard guard{sources};
  std::filesystem::path library;
  store::durability level = store::durability::disk;
  std::vector<part_state> parts;
  std::atomic<int> retired{0}; ///< so often it was told to
  std::uint16_t port = 0;
  std::unique_ptr<server> running;
};

/// The body as JSON; null if it is none.
boost::json::value json_of(const raw_answer& answer);

/// The problem's word; empty if the answer is none.
std::string code_of(const raw_answer& answer);

/// The pointers of a problem's errors.
std::vector<std::string> pointers_of(const raw_answer& answer);

} // namespace troupe::net
