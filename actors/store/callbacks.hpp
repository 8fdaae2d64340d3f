#pragma once

#include "actors/store/batch.hpp"
#include "actors/store/callback.hpp"
#include "actors/store/transaction.hpp"

#include <optional>
#include <string_view>
#include <vector>

/// Callbacks as records: written where something ends, taken by any server
/// when they are due, hidden from the others meanwhile.
namespace troupe::store {

/// How long one that was taken is hidden, unless it is settled before.
inline constexpr std::int64_t callback_hidden_ms = 60000;

/// Notes that this job has ended. @pre `it.callback_url` is not empty
void note_callback(const job& it, transaction& in);
/// The same for a batch.
void note_callback(const batch& it, transaction& in);

std::vector<callback> take_callbacks(std::size_t max, transaction& in);
/// `not_found` for one that is gone, `stale_fence` for another's.
errc settle_callback(const callback_settlement& it, transaction& in);
/// Those that were given up, by id, after `after`.
std::vector<callback> dead_callbacks(const std::string& after, std::size_t max,
                                     transaction& in);
/// A dead one is due again.
errc retry_callback(const std::string& id, transaction& in);
/// One that cannot be read: noted once more, of the end that it told of; else
/// removed.
void rebuild_callback(const std::string& id, transaction& in);
/// Of a record's bytes; nothing if they make no sense.
std::optional<callback> unpack_callback(std::string_view bytes);
/// True while one of this job or batch is neither delivered nor given up.
bool has_callbacks_due(const std::string& subject, transaction& in);
/// All of one job or batch, whatever their state.
void forget_callbacks(const std::string& subject, transaction& in);
/// With the one that was noted in this transaction, if it was.
void forget_callbacks(const job& ended, transaction& in);

} // namespace troupe::store
