#pragma once

#include "actors/store/batch.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/transaction.hpp"

#include <optional>
#include <span>
#include <vector>

/// Batches: a record each, and jobs that carry its id.
///
/// A batch that fits into one transaction is made in one. A larger one is
/// staged: its jobs lie in records that nobody looks at, in chunks, until one
/// transaction says that the batch is there; from then on any server opens
/// chunk after chunk. A batch that is not there a minute after its last chunk
/// was staged is removed.
///
/// Jobs note in their transitions that they have ended (record `progress`);
/// whoever follows that compares their number with the batch's.
namespace troupe::store {

inline constexpr std::int64_t staging_ms = 60000;

enum class batch_phase : std::uint8_t { staging, opening, open };

struct batch_record : batch_draft {
  timestamp_ms created_at = 0;
  timestamp_ms finished_at = 0;
  std::uint64_t total = 0;
  batch_phase phase = batch_phase::staging;
  std::uint64_t opened = 0; ///< chunks
  std::uint64_t chunks = 0;
};

/// The jobs in an order in which each comes after those that it depends on,
/// otherwise as they are; `no_parent` when there is none.
result<std::vector<job_draft>> in_order(std::span<const job_draft> jobs);

/// There is room, and all jobs that these depend on are there or among them.
errc may_add(std::span<const job_draft> jobs, transaction& in);

/// A batch in one transaction. @pre `may_add`, `in_order`
void add_batch(const batch_draft& draft, std::span<const job_draft> jobs,
               transaction& in);

// Taking back: what is not opened never will be; without its record, a batch
// without jobs has never been.
void stop_opening(const std::string& id, transaction& in);
void forget_batch(const std::string& id, transaction& in);

// Step by step. Each says `not_found` when the batch was given up meanwhile.
void begin_batch(const batch_draft& draft, std::uint64_t total,
                 transaction& in);
errc stage_chunk(const std::string& id, std::span<const job_draft> jobs,
                 transaction& in);
errc show_batch(const std::string& id, transaction& in);

/// What a batch has due: opens its next chunk, removes it when it was never
/// shown or when its time is up.
void follow_batch(const std::string& id, std::int64_t retention_ms,
                  std::vector<job>& changed, transaction& in);

/// Jobs of this batch have ended.
/// @return the batch, with `finished_at` if this was its end
std::optional<batch> follow_progress(const std::string& id,
                                     std::int64_t retention_ms,
                                     transaction& in);

/// For an open batch that would not end: its total is lowered to the jobs that
/// are there, and its end is looked for.
void settle_batch(const std::string& id, transaction& in);

/// A batch whose record is lost or cannot be read: made anew from its jobs and
/// from those that were not opened yet. Removed if there are none.
/// @param owner empty: as what can be read of the record tells
void rebuild_batch(const std::string& id, const std::string& owner,
                   transaction& in);

/// Of a record's bytes; nothing if they make no sense.
std::optional<batch_record> unpack_batch(std::string_view bytes);
std::optional<batch_record> read_batch(const std::string& id, transaction& in);
std::optional<batch> get_batch(const std::string& id, transaction& in);

/// True for a batch that has not finished.
bool is_open(const std::string& id, transaction& in);

} // namespace troupe::store
