#pragma once

#include "actors/store/schedule.hpp"
#include "actors/store/transaction.hpp"

#include <vector>

/// Schedules as records, due when they are to make a job. Whoever follows one
/// sets its next time and adds the job in one transaction, under an id that
/// name, generation and time make: so it is made once.
namespace troupe::store {

/// Adds or replaces it. `bad_schedule`: its expression or zone is none.
errc put_schedule(schedule it, transaction& in);
/// `not_found` if there is none.
errc drop_schedule(const std::string& name, transaction& in);

/// One whose time has come. @param changed gets the jobs that it made
void fire_schedule(const std::string& name, std::vector<job>& changed,
                   transaction& in);

/// Of a record's bytes; nothing if they make no sense.
std::optional<schedule> unpack_schedule(std::string_view bytes);
std::optional<schedule> read_schedule(const std::string& name, transaction& in);
/// All of them, by name.
std::vector<schedule> read_schedules(transaction& in);

} // namespace troupe::store
