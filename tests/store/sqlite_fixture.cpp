#include "tests/store/scratch_folder.hpp"
#include "tests/store/store_fixture.hpp"

namespace troupe::store::testing {

namespace {

class memory_fixture final : public store_fixture {
public:
  result<std::unique_ptr<job_store>> open(store_options options) override {
    options.url = "memory:";
    return open_store(options);
  }

  [[nodiscard]] bool persists() const override {
    return false;
  }
};

class sqlite_fixture final : public store_fixture {
public:
  result<std::unique_ptr<job_store>> open(store_options options) override {
    options.url = "sqlite:" + (folder_.path() / "jobs.db").string();
    return open_store(options);
  }

  [[nodiscard]] bool persists() const override {
    return true;
  }

private:
  scratch_folder folder_;
};

} // namespace

store_kind memory_kind() {
  return {"Memory", [] {
            return std::make_unique<memory_fixture>();
          }};
}

store_kind sqlite_kind() {
  return {"Sqlite", [] {
            return std::make_unique<sqlite_fixture>();
          }};
}

} // namespace troupe::store::testing
