#pragma once

#include "media/attempt.hpp"
#include "media/runtime.hpp"

#include <memory>
#include <string_view>

namespace troupe::media {

/// JSON Schemas of the `noop` job type.
extern const std::string_view noop_params_schema;
extern const std::string_view noop_result_schema;

/// An attempt that does nothing for as long as it is told: sleeps in steps
/// with progress, fails as often as asked, writes a file as large as asked. A
/// `noop` that asks for none of these is done before `start` returns.
[[nodiscard]] std::unique_ptr<attempt>
make_noop(runtime& threads, attempt_task task,
          std::shared_ptr<attempt_sink> sink);

} // namespace troupe::media
