#include "tests/store/store_fixture.hpp"

namespace troupe::store::testing {

std::vector<store_kind> store_kinds() {
  return {memory_kind(), sqlite_kind(), redis_kind()};
}

} // namespace troupe::store::testing
