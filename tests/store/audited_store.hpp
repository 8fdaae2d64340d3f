#pragma once

#include "tests/store/store_suite.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

/// Each invariant is broken by hand, found, and mended.
namespace troupe::store::testing {

struct breakage {
  std::string name;  ///< of the test
  std::string found; ///< the invariant of one of the findings
  std::string how;   ///< SQL, or Lua for Redis
};

std::ostream& operator<<(std::ostream& out, const breakage& it);

/// A store with a job of every kind. The fixture tells how to break it.
class audited_store {
public:
  explicit audited_store(store_options options);

  void reopen();
  /// All steps of an audit, each of few rows.
  std::vector<audit_finding> audit(bool repair = false);
  /// Ends what runs, then claims and ends all that waits.
  std::size_t drain();
  /// Ends what follows from what has ended.
  void follow();
  /// Two hours later, once.
  bool fires_its_schedule();

  std::unique_ptr<job_store> store;

private:
  job apply(operation op);
  job submit(const std::string& id, const std::string& key = "",
             std::int64_t delay_ms = 0);
  std::vector<job> claim(std::uint32_t max);
  /// Runs: one of "busy", which may run one, and one that is committed.
  void fill();
  /// A callback, a schedule, a batch.
  void fill_beside();

  store_options options_;
  std::int64_t offset_ = 0;
};

[[nodiscard]] std::set<std::string>
kinds_of(const std::vector<audit_finding>& all);

void expect_mended(audited_store& it, const breakage& broken);
/// All goes on as if nothing had been broken.
void expect_to_end(audited_store& it);
/// Whatever is asked of these, which contradict each other, nothing crashes;
/// the others end, and these fail.
void expect_others_served(audited_store& it,
                          const std::vector<std::string>& wrong);
/// One lease ends in an age, another is nobody's.
void expect_leases_mended(audited_store& it);
/// Of the job "waits" not all is left: it failed, and whoever was given its id
/// hears so.
void expect_lost_job_told(audited_store& it);
/// The schedule cannot be read, nor made anew from anything.
void expect_schedule_removed(audited_store& it);
/// A record of an unknown kind is told of, and neither mended nor removed.
void expect_unknown_stays(audited_store& it);
void expect_corrupt(audited_store& it, const std::string& id);

} // namespace troupe::store::testing
