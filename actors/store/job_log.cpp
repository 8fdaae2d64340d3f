#include "actors/store/job_log.hpp"

namespace troupe::store {

namespace {

/// True if these lines were appended before: an operation that was repeated.
bool stands_in(std::string_view all, std::string_view text) {
  const auto at = all.find(text);
  return at == 0 || (at != all.npos && all[at - 1] == '\n');
}

} // namespace

void append_log(const std::string& id, std::string_view text, transaction& in) {
  auto all = in.read(record_kind::log, id).value_or(std::string{});
  if (stands_in(all, text))
    return;
  all += text;
  if (all.size() > log_limit) {
    // From the first line that fits in whole.
    const auto end = all.find('\n', all.size() - log_limit - 1);
    all.erase(0, end == all.npos ? all.size() - log_limit : end + 1);
  }
  in.write(record_kind::log, id, std::move(all));
}

} // namespace troupe::store
