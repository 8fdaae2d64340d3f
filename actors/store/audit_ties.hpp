#pragma once

#include "actors/store/transaction.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What an audit knows of what ties records to links, jobs and batches, for all
/// stores alike, and how it mends them. Stores find what there is; what is
/// wrong with it, and what becomes of it, is told here.
namespace troupe::store {

/// A link, or where one belongs.
struct link_name {
  link_kind kind{};
  std::string owner, member;
};

/// The link by which a record is found; nothing for a kind that has none, or
/// what cannot be read.
[[nodiscard]] std::optional<link_name>
link_of(record_kind kind, const std::string& key, std::string_view body);

/// What a record belongs to: a job, or a batch, or one of the two. Empty: to
/// nothing, it stands by itself.
struct record_owner {
  std::string job, batch;

  [[nodiscard]] bool any() const noexcept {
    return !job.empty() || !batch.empty();
  }
};
[[nodiscard]] record_owner owner_of(record_kind kind, const std::string& key,
                                    std::string_view body);

/// The record that a member of such a link names; nothing for links of jobs.
[[nodiscard]] std::optional<record_name> named_by(link_kind kind,
                                                  const std::string& member);

/// What is wrong with a record.
enum class record_fault : std::uint8_t {
  none,
  unknown, ///< of no kind of ours: another version's, perhaps
  unreadable,
  unlisted, ///< its link is missing
  orphan,   ///< what it belongs to is gone, and nobody waits for it
};
/// @param listed its link is there, or it has none
/// @param owned what it belongs to is stored, or it stands by itself
[[nodiscard]] record_fault fault_of(record_kind kind, std::string_view body,
                                    bool listed, bool owned);
/// The invariant, in one word, and what to say of it.
[[nodiscard]] const char* word_of(record_fault fault) noexcept;
[[nodiscard]] const char* words_of(record_fault fault) noexcept;

/// What cannot be read is made anew from what it was made of: a callback from
/// its job or batch, a batch from its jobs. The rest is removed, a schedule and
/// a stream too: whoever made one can make it again. An unknown one stays.
void mend_record(record_fault fault, record_kind kind, const std::string& key,
                 transaction& in);

/// Whether an answer kept for a repeated POST makes sense.
[[nodiscard]] bool is_answer(std::string_view bytes);

} // namespace troupe::store
