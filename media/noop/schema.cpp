#include "media/noop/noop.hpp"

namespace troupe::media {

const std::string_view noop_params_schema = R"({
  "type": "object",
  "properties": {
    "sleep_ms": {"type": "integer", "minimum": 0, "maximum": 86400000,
      "default": 0, "description": "How long to sleep in all."},
    "fail_times": {"type": "integer", "minimum": 0, "maximum": 1000,
      "default": 0, "description": "So many attempts fail first."},
    "payload": {"description": "Any JSON; comes back in the result."},
    "steps": {"type": "integer", "minimum": 1, "maximum": 100000,
      "default": 1, "description": "Sleep in so many parts, with progress."},
    "output_bytes": {"type": "integer", "minimum": 0, "maximum": 1073741824,
      "default": 0, "description": "Publish a file of this size."}
  },
  "additionalProperties": false
})";

const std::string_view noop_result_schema = R"({
  "type": "object",
  "properties": {
    "payload": {},
    "path": {"type": "string"},
    "size": {"type": "integer"},
    "sha256": {"type": "string"}
  },
  "additionalProperties": false
})";

} // namespace troupe::media
