#pragma once

#include "actors/store/job_store.hpp"

#include <cstdint>
#include <string>

namespace troupe::store {

/// Whether a job passes all filters.
[[nodiscard]] bool matches(const job& it, const list_query& query);
/// True with filters that no index answers.
[[nodiscard]] bool must_scan(const list_query& query);

/// Where the next page begins: below this sequence number. The token also
/// holds a hash of the filters, so that it is good for the same list only.
[[nodiscard]] std::string make_page_token(const list_query& query,
                                          std::uint64_t below);

/// @returns `UINT64_MAX` for an empty token; `bad_page_token` for what
/// `make_page_token` has not made for the same filters. `page_size` may
/// change from page to page.
[[nodiscard]] result<std::uint64_t> read_page_token(const list_query& query);

} // namespace troupe::store
