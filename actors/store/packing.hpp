#pragma once

#include "actors/store/job.hpp"

#include <string>
#include <string_view>
#include <vector>

/// How a job lies in a store: two blobs, so that a transition rewrites only
/// the small one. Each starts with a version byte; numbers are LEB128, texts
/// carry their length. Not in them, since stores search by them: `state`,
/// `run_at`, `lease_until`, `finished_at` and `node`.
namespace troupe::store {

/// What changes once at most, when a job is handed what its parents made: the
/// draft, `created_at`, `reached`.
[[nodiscard]] std::string pack_draft(const job& it);
/// @return false when the blob is none of ours; `it` is then unspecified.
[[nodiscard]] bool unpack_draft(std::string_view blob, job& it);

/// The rest: attempt, revision, progress, result, errors, fence, …
[[nodiscard]] std::string pack_live(const job& it);
/// @return as `unpack_draft`.
[[nodiscard]] bool unpack_live(std::string_view blob, job& it);

[[nodiscard]] std::string pack_progress(const media::progress& now);
/// @return as `unpack_draft`.
[[nodiscard]] bool unpack_progress(std::string_view blob, media::progress& now);

[[nodiscard]] std::string
pack_manifest(const std::vector<media::staged_file>& files);
/// @return as `unpack_draft`.
[[nodiscard]] bool unpack_manifest(std::string_view blob,
                                   std::vector<media::staged_file>& files);

/// Everything, for an answer that is to be repeated.
[[nodiscard]] std::string pack_job(const job& it);
/// @return as `unpack_draft`.
[[nodiscard]] bool unpack_job(std::string_view blob, job& it);

} // namespace troupe::store
