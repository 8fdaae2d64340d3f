#include "media/transcode/params.hpp"

namespace troupe::media {

const std::string_view transcode_params_schema = R"({
  "type": "object",
  "properties": {
    "source": {"type": "string",
      "pattern": "^(local:///[^?#]+|job:[0-9A-Za-z_-]{1,64}|[hH][tT][tT][pP][sS]?://.+)$",
      "maxLength": 4096,
      "description": "local:///path, percent-encoded, a file beneath the media roots; http:// or https://; or job:ID, the file that a job has made."},
    "profile": {"type": "string", "default": "web_optimized",
      "enum": ["web_optimized", "high_quality", "mobile_optimized",
        "ultra_compress", "webm_web", "audio_only"],
      "description": "web_optimized: as streams have it, H.264 up to 1080 lines; high_quality: slower and larger, up to 2160; mobile_optimized: up to 720, small; ultra_compress: HEVC; webm_web: VP9 and Opus; audio_only: no picture. What stands beside it takes the place of the profile's own."},
    "height": {"type": "integer", "minimum": 64, "maximum": 2160,
      "description": "Lines at most; a smaller source keeps its size."},
    "crf": {"type": "number", "minimum": 0, "maximum": 51,
      "description": "Quality as the encoder counts it; less is better and larger. 4 s of video have 96 MB at most."},
    "preset": {"type": "string",
      "enum": ["ultrafast", "superfast", "veryfast", "faster", "fast",
        "medium", "slow", "slower", "veryslow"],
      "description": "Slower is smaller."},
    "video_codec": {"type": "string", "enum": ["h264", "hevc", "vp9"]},
    "audio_codec": {"type": "string", "enum": ["aac", "opus"]},
    "audio_bitrate": {"type": "integer", "minimum": 16000, "maximum": 320000,
      "description": "Bits per second."},
    "container": {"type": "string", "enum": ["mp4", "mkv", "webm"],
      "description": "webm holds vp9 and opus alone, which are its own where no codec is named."},
    "filename": {"type": "string", "minLength": 1, "maxLength": 500,
      "pattern": "^(?!\\.{0,2}(/|$|\\.\\{ext\\}$))([^{}/]|\\{(title|id|host|height|width|ext)\\})+(/(?!\\.{0,2}(/|$|\\.\\{ext\\}$))([^{}/]|\\{(title|id|host|height|width|ext)\\})+){0,7}$",
      "default": "transcodes/{title}.{ext}",
      "description": "Path in the library, made of {title} (the source's name without its ending) {id} (the job's) {host} {height} {width} {ext}. A name that is taken by another file gets a number."}
  },
  "required": ["source"],
  "additionalProperties": false
})";

const std::string_view transcode_result_schema = R"({
  "type": "object",
  "properties": {
    "path": {"type": "string"},
    "size": {"type": "integer"},
    "sha256": {"type": "string"},
    "duration_s": {"type": "number"},
    "container": {"type": "string"},
    "video": {"type": ["object", "null"], "properties": {
      "codec": {"type": "string"}, "width": {"type": "integer"},
      "height": {"type": "integer"}, "fps": {"type": "number"}}},
    "audio": {"type": ["object", "null"], "properties": {
      "codec": {"type": "string"}, "channels": {"type": "integer"},
      "sample_rate": {"type": "integer"}}},
    "title": {"type": "string"},
    "source": {"type": "string"},
    "profile": {"type": "string"}
  },
  "required": ["path", "size", "sha256", "duration_s", "container", "source"]
})";

} // namespace troupe::media
