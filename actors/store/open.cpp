#include "actors/store/job_store.hpp"
#include "actors/store/redis_store.hpp"
#include "actors/store/sqlite_store.hpp"

namespace troupe::store {

result<std::unique_ptr<job_store>> open_store(const store_options& options) {
  if (options.url == "memory:" || options.url.starts_with("sqlite:"))
    return open_sqlite_store(options);
  if (options.url.starts_with("redis"))
    return open_redis_store(options);
  return fail(errc::bad_config, options.url.substr(0, options.url.find(':'))
                                  + ": no store of this kind");
}

} // namespace troupe::store
