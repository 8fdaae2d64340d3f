#include "actors/store/errc.hpp"

#include <string>

namespace troupe::store {

namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override {
    return "store";
  }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
    case errc::none:
      return "no error";
    case errc::unavailable:
      return "the job store does not answer";
    case errc::not_found:
      return "nothing is known by this name";
    case errc::invalid_state:
      return "not possible in the job's state";
    case errc::stale_fence:
      return "the lease belongs to another attempt";
    case errc::queue_full:
      return "the queue is full";
    case errc::disk_full:
      return "no space left for the job store";
    case errc::idempotency_mismatch:
      return "the idempotency key was used with another body";
    case errc::bad_page_token:
      return "not a page token of this list";
    case errc::bad_config:
      return "the job store is not fit for use";
    case errc::corrupt:
      return "a stored job cannot be read";
    case errc::locked:
      return "another server uses this data folder";
    case errc::pausing:
      return "the job is being paused";
    case errc::no_parent:
      return "a job to depend on does not exist, or jobs wait for each other";
    case errc::bad_schedule:
      return "no such time as the schedule asks for";
    case errc::not_durable:
      return "the store does not reach that durability at present";
    case errc::parent_failed:
      return "a job it depends on has not succeeded: retry that one first";
    case errc::no_result:
      return "its params use a field that a job it depends on has not left";
    }
    return "unknown store error";
  }
};

} // namespace

const std::error_category& store_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), store_category()};
}

} // namespace troupe::store
