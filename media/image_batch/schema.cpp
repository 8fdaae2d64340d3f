#include "media/image_batch/params.hpp"

namespace troupe::media {

const std::string_view image_batch_params_schema = R"({
  "type": "object",
  "properties": {
    "sources": {"type": "array", "minItems": 1, "maxItems": 10000,
      "items": {"type": "string", "maxLength": 4096,
        "pattern": "^(local:///[^?#]+|job:[0-9A-Za-z_-]{1,64}|[hH][tT][tT][pP][sS]?://.+)$"},
      "description": "Images and videos: local:///path, http(s)://… or job:ID, the file that a job has made."},
    "glob": {"type": "string", "maxLength": 4096,
      "pattern": "^local:///[^?#]+$",
      "description": "local:///folder/*.jpg: files of one folder beneath the media roots."},
    "source_dir": {"type": "string", "maxLength": 4096,
      "pattern": "^local:///[^?#]*$",
      "description": "All files of one folder beneath the media roots."},
    "operations": {"type": "array", "minItems": 1, "maxItems": 32, "items": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 64,
          "pattern": "^[0-9A-Za-z_-]+$"},
        "options": {"type": "string", "maxLength": 2048,
          "description": "As in image URLs, such as rs:fill:150:150 or pr:small."},
        "format": {"type": "string",
          "enum": ["jpg", "jpeg", "png", "webp", "avif", "gif", "tiff"],
          "description": "The source's own where it is absent; of a video jpg, or webp where it moves."},
        "video": {"type": "object", "maxProperties": 1, "properties": {
          "at_s": {"type": "array", "minItems": 1, "maxItems": 64,
            "items": {"type": "number", "minimum": 0},
            "description": "A picture at each of these seconds."},
          "scenes": {"type": "integer", "minimum": 1, "maximum": 64,
            "description": "A picture of so many scenes, at most."},
          "sprite": {"type": "object", "properties": {
            "every_s": {"type": "number", "minimum": 0.1, "default": 10},
            "columns": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}},
            "additionalProperties": false,
            "description": "One sheet of up to 400 pictures, and a WebVTT file that says which shows which seconds."},
          "preview": {"type": "object", "properties": {
            "from_s": {"type": "number", "minimum": 0},
            "length_s": {"type": "number", "exclusiveMinimum": 0, "maximum": 60, "default": 3},
            "fps": {"type": "number", "minimum": 0.1, "maximum": 30, "default": 8}},
            "additionalProperties": false,
            "description": "An animation, webp or gif, of up to 240 pictures."}},
          "additionalProperties": false,
          "description": "What is shown of sources that are videos, and these alone; absent: a picture at a tenth of them."}
      },
      "required": ["name"],
      "additionalProperties": false},
      "description": "Images that are made of every source, from one decode."},
    "output": {"type": "string", "minLength": 1, "maxLength": 1024,
      "default": "{stem}-{operation}",
      "description": "Names of the files in images/JOB of the library, without ending: {stem}, {operation}, {index}; slashes make folders."},
    "fail_fast": {"type": "boolean", "default": false,
      "description": "The first image that cannot be made fails the job."}
  },
  "required": ["operations"],
  "additionalProperties": false
})";

const std::string_view image_batch_result_schema = R"({
  "type": "object",
  "properties": {
    "folder": {"type": "string"},
    "path": {"type": "string",
      "description": "One JSON object a line and source: source, files or error."},
    "size": {"type": "integer"},
    "sha256": {"type": "string"},
    "sources": {"type": "integer"},
    "images": {"type": "integer"},
    "failed": {"type": "integer"},
    "errors": {"type": "array", "items": {"type": "object"},
      "description": "The first hundred."}
  },
  "additionalProperties": false
})";

} // namespace troupe::media
