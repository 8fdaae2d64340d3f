#pragma once

#include "actors/store/job_store.hpp"

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace troupe::store::testing {

/// Where one store keeps its jobs during one test: a file, a server's
/// database, or nothing. Everything of it is gone when it is destroyed.
class store_fixture {
public:
  virtual ~store_fixture() = default;

  /// Opens the store on this place. Called again (after the last one was
  /// destroyed), it finds the same jobs if `persists()`.
  /// @param options everything but `url`, which the fixture sets.
  virtual result<std::unique_ptr<job_store>> open(store_options options) = 0;

  [[nodiscard]] virtual bool persists() const = 0;
};

/// A store that is to pass the suite.
struct store_kind {
  std::string name; ///< in the tests' names: letters only
  std::function<std::unique_ptr<store_fixture>()> make;
};

inline std::ostream& operator<<(std::ostream& out, const store_kind& kind) {
  return out << kind.name;
}

// One function per store, each in a file of its own.
[[nodiscard]] store_kind memory_kind();
[[nodiscard]] store_kind sqlite_kind();
[[nodiscard]] store_kind redis_kind();

/// All of them; `store_kinds.cpp` is the list.
[[nodiscard]] std::vector<store_kind> store_kinds();

} // namespace troupe::store::testing
