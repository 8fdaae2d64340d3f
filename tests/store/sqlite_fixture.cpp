#include "tests/store/store_fixture.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

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
  sqlite_fixture() {
    auto name =
      (std::filesystem::temp_directory_path() / "troupe-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("no temporary folder");
    folder_ = name;
  }

  ~sqlite_fixture() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  result<std::unique_ptr<job_store>> open(store_options options) override {
    options.url = "sqlite:" + (folder_ / "jobs.db").string();
    return open_store(options);
  }

  [[nodiscard]] bool persists() const override {
    return true;
  }

private:
  std::filesystem::path folder_;
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
