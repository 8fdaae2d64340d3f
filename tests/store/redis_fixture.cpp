#include "tests/store/redis_server.hpp"
#include "tests/store/store_fixture.hpp"

#include <fstream>

namespace troupe::store::testing {

namespace {

/// The rule for a user of our own, word by word, as the README has it.
std::vector<std::string> documented_rule(const std::string& password) {
  std::ifstream readme{TROUPE_README};
  std::vector<std::string> words;
  for (std::string word; readme >> word;) {
    if (words.empty() ? word != "ACL" : word == "```")
      continue;
    words.push_back(word == ">PASSWORD" ? ">" + password : word);
    if (readme >> std::ws && readme.peek() == '`')
      break;
  }
  return words;
}

/// One server for all tests of the program, who work there as that user.
redis_server& shared_server() {
  static redis_server server;
  static const auto allowed = server.command(documented_rule("se cret"));
  return server;
}

std::string url_as_user(std::string url) {
  const std::string scheme = "redis+unix://";
  return url.insert(scheme.size(), "troupe:se%20cret@");
}

class redis_fixture final : public store_fixture {
public:
  redis_fixture() {
    shared_server().command({"FLUSHALL"});
  }

  result<std::unique_ptr<job_store>> open(store_options options) override {
    options.url = url_as_user(shared_server().url());
    return open_store(options);
  }

  [[nodiscard]] bool persists() const override {
    return true;
  }
};

} // namespace

store_kind redis_kind() {
  return {"Redis", [] {
            return std::make_unique<redis_fixture>();
          }};
}

} // namespace troupe::store::testing
