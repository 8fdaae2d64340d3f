#include "tests/store/redis_server.hpp"
#include "tests/store/store_fixture.hpp"

namespace troupe::store::testing {

namespace {

/// One server for all tests of the program.
redis_server& shared_server() {
  static redis_server server;
  return server;
}

class redis_fixture final : public store_fixture {
public:
  redis_fixture() {
    shared_server().command({"FLUSHALL"});
  }

  result<std::unique_ptr<job_store>> open(store_options options) override {
    options.url = shared_server().url();
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
