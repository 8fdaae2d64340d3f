#include "media/probe/job.hpp"

namespace troupe::media {

const std::string_view probe_params_schema = R"({
  "type": "object",
  "properties": {
    "source": {"type": "string",
      "pattern": "^(local:///[^?#]+|job:[0-9A-Za-z_-]{1,64}|[hH][tT][tT][pP][sS]?://.+)$",
      "maxLength": 4096,
      "description": "local:///path, percent-encoded, a file beneath the media roots; http:// or https://; or job:ID, the file that a job has made."}
  },
  "required": ["source"],
  "additionalProperties": false
})";

const std::string_view probe_result_schema = R"({
  "type": "object",
  "properties": {
    "container": {"type": "string"},
    "duration_s": {"type": "number", "description": "0: unknown."},
    "size": {"type": "integer"},
    "bitrate": {"type": "integer"},
    "streams": {"type": "array", "items": {"type": "object", "properties": {
      "index": {"type": "integer"},
      "type": {"type": "string",
        "description": "video, audio, subtitle, data or attachment."},
      "codec": {"type": "string"},
      "codecs": {"type": "string",
        "description": "RFC 6381, from the file's own parameter sets."},
      "profile": {"type": "string"},
      "width": {"type": "integer"}, "height": {"type": "integer"},
      "fps": {"type": "number"}, "pixel_format": {"type": "string"},
      "rotation": {"type": "integer", "enum": [0, 90, 180, 270],
        "description": "Clockwise, for display."},
      "hdr": {"type": ["string", "null"],
        "enum": ["hdr10", "hlg", "dolby_vision", null]},
      "color_space": {"type": "string"}, "color_transfer": {"type": "string"},
      "color_primaries": {"type": "string"},
      "attached_picture": {"type": "boolean"},
      "channels": {"type": "integer"}, "sample_rate": {"type": "integer"},
      "bitrate": {"type": "integer"}, "duration_s": {"type": "number"},
      "language": {"type": "string"},
      "disposition": {"type": "array", "items": {"type": "string"}}}}},
    "chapters": {"type": "array", "items": {"type": "object", "properties": {
      "start_s": {"type": "number"}, "end_s": {"type": "number"},
      "title": {"type": "string"}}}},
    "tags": {"type": "object", "additionalProperties": {"type": "string"}},
    "cover": {"type": "boolean", "description": "It has an embedded picture."}
  }
})";

} // namespace troupe::media
