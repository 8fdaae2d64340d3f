#include "media/download/schema.hpp"

namespace troupe::media {

const std::string_view download_params_schema = R"({
  "type": "object",
  "properties": {
    "url": {"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://",
      "minLength": 10, "maxLength": 4096,
      "description": "What to fetch, http or https."},
    "quality": {"type": "string", "default": "best",
      "minLength": 1, "maxLength": 300,
      "pattern": "^(?!-)(?!.*\\b(all|mergeall)\\b)[ -+\\--~]+$",
      "description": "best, 2160p, 1440p, 1080p, 720p, 480p, 360p (the best at or below), audio, or a selector of yt-dlp for one file."},
    "format": {"type": "string", "default": "original",
      "enum": ["original", "mp4", "mkv", "webm", "mp3", "m4a", "opus"],
      "description": "original leaves the bytes as they are; mp4, mkv, webm change the container and encode nothing anew; mp3, m4a, opus take the sound."},
    "subtitles": {"type": "array", "maxItems": 20, "default": [],
      "items": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$"},
      "description": "Languages to fetch subtitles in."},
    "embed": {"type": "array", "maxItems": 4, "default": [],
      "items": {"type": "string",
        "enum": ["metadata", "thumbnail", "chapters", "subtitles"]},
      "description": "What to put into the file."},
    "filename": {"type": "string", "minLength": 1, "maxLength": 500,
      "pattern": "^(?!\\.{0,2}(/|$|\\.\\{ext\\}$))([^{}/]|\\{(title|id|uploader|channel|upload_date|extractor|host|height|width|ext)\\})+(/(?!\\.{0,2}(/|$|\\.\\{ext\\}$))([^{}/]|\\{(title|id|uploader|channel|upload_date|extractor|host|height|width|ext)\\})+){0,7}$",
      "default": "{uploader}/{title} [{id}].{ext}",
      "description": "Path in the library, made of {title} {id} {uploader} {channel} {upload_date} {extractor} {host} {height} {width} {ext}."},
    "if_exists": {"type": "string", "default": "keep_both",
      "enum": ["skip", "replace", "keep_both"],
      "description": "When the name is taken by another file."},
    "rate_limit": {"type": "integer", "minimum": 0, "maximum": 1000000000000,
      "default": 0, "description": "Bytes per second; 0: no limit."},
    "cookies": {"type": "string", "maxLength": 100,
      "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*$",
      "description": "The name of a cookie file in tools.cookies_dir."},
    "max_filesize": {"type": "integer", "minimum": 0,
      "maximum": 1000000000000000, "default": 0,
      "description": "Bytes; 0: no limit."},
    "checksum": {"type": "string", "pattern": "^sha256:[0-9A-Fa-f]{64}$",
      "description": "What the file's SHA-256 has to be."}
  },
  "required": ["url"],
  "additionalProperties": false
})";

const std::string_view download_result_schema = R"({
  "type": "object",
  "properties": {
    "path": {"type": "string"},
    "size": {"type": "integer"},
    "sha256": {"type": "string"},
    "duration_s": {"type": ["number", "null"]},
    "container": {"type": ["string", "null"]},
    "video": {"type": ["object", "null"], "properties": {
      "codec": {"type": "string"}, "width": {"type": "integer"},
      "height": {"type": "integer"}, "fps": {"type": "number"}}},
    "audio": {"type": ["object", "null"], "properties": {
      "codec": {"type": "string"}, "channels": {"type": "integer"},
      "sample_rate": {"type": "integer"}}},
    "title": {"type": "string"},
    "uploader": {"type": ["string", "null"]},
    "source_url": {"type": "string"},
    "thumbnail": {"type": ["string", "null"]},
    "info_json": {"type": ["string", "null"]}
  },
  "required": ["path", "size", "sha256", "title", "source_url"]
})";

} // namespace troupe::media
