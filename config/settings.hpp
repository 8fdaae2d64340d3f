#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// One validated struct per layer. `load.hpp` fills them from the file, the
/// environment and the flags; nothing else in the project reads configuration.
/// Every default stands here and, commented, in `troupe.toml`; a test holds
/// the two together. An empty path means "derived", as its comment says.
namespace troupe::config {

/// [log]
struct log_settings {
  std::string level = "info";  ///< trace|debug|info|warn|error|off
  std::string format = "text"; ///< text|json
};

/// [http] The edge.
struct http_settings {
  std::string listen = "127.0.0.1:8080"; ///< address:port; port 0 picks one
  std::vector<std::string> hosts;   ///< further `Host` names taken, beside ours
  std::vector<std::string> origins; ///< foreign origins let in (CORS)
  std::uint32_t max_connections = 10000;
  std::uint32_t header_timeout_s = 10;  ///< for a whole request header
  std::uint32_t body_timeout_s = 30;    ///< for each 64 KiB of a request body
  std::uint32_t idle_timeout_s = 75;    ///< between requests of one connection
  std::uint32_t write_timeout_s = 30;   ///< a peer that reads nothing so long
  std::uint32_t request_timeout_s = 30; ///< for the answer of the actors
};

/// [store] The durable queue.
struct store_settings {
  /// `sqlite:PATH`, `memory:`, `redis://H:P/DB`, `redis+unix:///SOCKET?db=DB`,
  /// `redis+sentinel://H:P,H:P/NAME/DB`; empty: sqlite in `data.dir`.
  std::string url;
  double lease_s = 15;    ///< an attempt's lease; renewed at a third
  double ageing_s = 60;   ///< one step of priority is worth this wait
  double timeout_s = 0.7; ///< a remote store silent for so long is away
  std::uint32_t retention_days = 7; ///< finished jobs are kept at most so long
  std::uint32_t retention_count = 100000; ///< and at most so many
  std::uint64_t max_queued = 10000000;    ///< beyond: 503 queue_full
};

/// [spool] What waits on this server's disk while a remote store is away.
struct spool_settings {
  std::uint64_t max_bytes = 256u << 20; ///< beyond: 503 store_unavailable
};

/// [data] Where the server keeps its own files.
struct data_settings {
  std::filesystem::path dir; ///< empty: $XDG_DATA_HOME/troupe
};

/// [library] Where results are published, and what `local:` sources may read.
struct library_settings {
  std::filesystem::path dir; ///< empty: `library` in data.dir
  std::vector<std::filesystem::path> media_roots;
};

/// [pools] Slots per pool on this node: at most so many, and at least so many
/// (`_min`, which counts where it is less).
struct pool_settings {
  std::uint32_t download = 8;
  std::uint32_t video = 4;
  std::uint32_t image = 4;
  std::uint32_t bulk = 256;
  std::uint32_t download_min = 4;
  std::uint32_t video_min = 1;
  std::uint32_t image_min = 2;
  std::uint32_t bulk_min = 64;
  double grow_after_s = 1;    ///< a full pool whose jobs wait so long grows
  double shrink_after_s = 30; ///< one that is not half used for so long shrinks
  double max_cpu = 0.95;      ///< above this share no pool grows
  /// Free shares below which no pool claims, until there is half as much more.
  double min_memory = 0.05;
  double min_disk = 0.02;
  double max_age_s = 0;        ///< submits to older queues: 429; 0: no limit
  std::uint64_t max_depth = 0; ///< submits to longer queues: 429; 0: no limit
  double drain_s = 20;         ///< what running jobs get at SIGTERM
  /// An attempt without a sign of life for so long is ended and goes
  /// elsewhere; 0: never. Signs come once a second; those of a tool stop when
  /// it neither computes nor moves bytes.
  double stall_s = 30;
  double download_stall_s = 120; ///< the same for downloads
};

/// [node] What this machine has to give.
struct node_settings {
  double sample_s = 2;              ///< how often it is looked at
  double cpus = 0;                  ///< 0: those of the machine
  std::uint64_t memory_mb = 0;      ///< 0: four fifths of the machine's
  std::uint64_t bandwidth_mbit = 0; ///< a second; 0: no limit
};

/// [alerts] Each `RAISE CLEAR SECONDS`: raised after so many seconds at one
/// threshold, cleared after as many at the other; empty: never. See
/// `parse_threshold`.
struct alert_settings {
  std::string disk_low = "0.05 0.08 10";   ///< free share of a folder's disk
  std::string memory_low = "0.08 0.12 10"; ///< available share
  std::string queue_age = "600 60 30";     ///< seconds, of a queue's oldest job
  std::string error_rate = "0.5 0.2 30";   ///< share of a minute's attempts
  std::string store_away = "1 0 3";        ///< 1 while it does not answer
};

/// [sources] Which addresses a download may touch.
struct source_settings {
  bool allow_private = false;     ///< shorthand for allow = every address
  std::vector<std::string> allow; ///< CIDR blocks let in though not public
};

/// [tools] Programs we run.
struct tool_settings {
  std::string yt_dlp = "yt-dlp"; ///< a name looked up in PATH, or a path
  std::string python = "/usr/bin/python3"; ///< runs yt_dlp if it is a script
  std::string ffmpeg = "ffmpeg";
  std::filesystem::path cookies_dir;    ///< empty: no cookies can be named
  std::uint32_t extract_timeout_s = 60; ///< for looking at a URL
  std::uint32_t max_extracts = 4;       ///< `POST /v1/extract` at once
  std::uint32_t memory_mb = 2048;       ///< of one process of a tool
  std::uint32_t nice = 10;              ///< how far tools give way to it
};

/// [sandbox] Around what reads media.
struct sandbox_settings {
  bool required = false;          ///< no start unless every layer is active
  std::uint32_t memory_mb = 1024; ///< of one codec child
  /// A source that crashed two children is not read for so long; 0: at once.
  std::uint32_t poison_s = 3600;
  /// What children that set text may read.
  std::vector<std::filesystem::path> fonts{"/usr/share/fonts", "/etc/fonts",
                                           "/usr/share/fontconfig",
                                           "/var/cache/fontconfig"};
  std::filesystem::path render_node; ///< "/dev/dri/…"; empty: no child has one
};

/// [events] Progress and change, as clients see it.
struct event_settings {
  double progress_per_s = 10;            ///< of one job, after conflation
  std::uint32_t job_log = 256;           ///< events kept of one job
  std::uint32_t topic_log = 10000;       ///< events kept of any other topic
  std::uint64_t log_bytes = 64u << 20;   ///< of all logs together
  double log_linger_s = 60;              ///< a log outlives its topic so long
  std::uint64_t client_bytes = 4u << 20; ///< a client further behind is closed
};

/// [edge] What stands before the actors.
struct edge_settings {
  std::uint32_t max_in_flight = 10000; ///< unanswered requests of the queue
};

/// [callbacks] What is posted to the `callback_url` of jobs and batches.
struct callback_settings {
  std::string secret;              ///< signs them; empty: not signed
  double timeout_s = 10;           ///< for the receiver's answer
  std::uint32_t max_attempts = 12; ///< then it is kept as a dead letter
};

/// [images] Made on demand, and kept.
struct image_settings {
  std::string path_prefix = "/img";
  std::vector<std::string> keys;     ///< hex; each with a salt: URLs are signed
  std::vector<std::string> salts;    ///< hex
  std::uint32_t signature_size = 32; ///< bytes of the HMAC that count
  bool allow_unsigned = false;       ///< off loopback without keys
  /// `name=options`, as in a URL; the one named `default` is in every URL.
  std::vector<std::string> presets{
    "small=rs:fill:150:150",  "medium=rs:fit:600:600",
    "large=rs:fit:1600:1600", "preview=rs:fit:320:320/q:60",
    "square=rs:fill:400:400", "banner=rs:fill:1200:300"};
  bool presets_only = false;
  std::filesystem::path watermark; ///< an image for `wm`; empty: none
  std::string watermark_text;      ///< Pango markup for `wm`, instead
  bool avif = true;                ///< where a request names it
  bool webp = true;
  /// A negotiated AVIF of more pixels is a WebP while it is made; 0: never.
  std::uint64_t stand_in_pixels = 250'000;
  bool derive_lossy = false; ///< make images of what is kept, q 90 and more
  bool client_hints = false;
  /// What widths of client hints are rounded up to; the largest is the most.
  std::vector<std::uint32_t> hint_widths{160,  240,  320,  480,  640,  800,
                                         1024, 1280, 1600, 1920, 2560, 3840};
  std::vector<std::string> readable;      ///< beside the usual: tiff, heic, svg
  bool lenient = false;                   ///< truncated sources count
  std::uint64_t max_bytes = 64u << 20;    ///< of a source
  std::uint64_t max_pixels = 100'000'000; ///< of one frame of a source
  std::uint32_t max_frames = 1000;        ///< of a source
  std::uint64_t memory_bytes = 64u << 20; ///< of the cache in memory
  std::uint64_t disk_bytes = 1024u << 20; ///< of the cache on disk; 0: none
  std::filesystem::path cache_dir;        ///< empty: `images` in data.dir
  double max_age_s = 86400;               ///< for clients and proxies
  double revalidate_s = 300; ///< a remote source is looked at again after it
  double stale_s = 86400;    ///< and served as it was for so long meanwhile
  double negative_s = 10;    ///< a failure is told again
  double timeout_s = 15;     ///< for one image
  std::uint32_t workers = 0; ///< children for waiting pages; 0: cores
  std::uint32_t batch_workers = 0;         ///< children for jobs; 0: cores
  std::uint32_t max_waiting = 256;         ///< images that wait for a child
  std::uint64_t upload_bytes = 256u << 20; ///< of all bodies at once
  std::uint64_t client_upload_bytes = 128u << 20; ///< of one client's
  std::uint64_t upload_free_bytes = 256u << 20; ///< that stay free on its disk
  std::filesystem::path upload_dir; ///< empty: `uploads` in data.dir
};

/// [streams] Media on demand, in segments.
struct stream_settings {
  /// Hex; the first signs URLs, each is good. Empty: one made in data.dir.
  std::vector<std::string> keys;
  std::uint64_t memory_bytes = 128u << 20;  ///< of segments kept in memory
  std::uint64_t disk_bytes = 2048ull << 20; ///< and on disk; 0: none
  std::filesystem::path cache_dir;          ///< empty: `streams` in data.dir
  std::uint32_t max_sessions = 1000;        ///< open at once
  std::uint32_t max_per_owner = 0;          ///< 0: no limit of its own
  double idle_timeout_s = 21600;            ///< a session nobody uses ends
  double max_age_s = 604800;                ///< and any, after so long
  double start_timeout_s = 20;              ///< for a source's index
  double segment_timeout_s = 8;             ///< for a segment; then 503
  double stall_s = 2;               ///< a child silent for so long is replaced
  double ahead_s = 24;              ///< what is encoded beyond who watches
  double run_idle_s = 20;           ///< an encoder nobody asks ends
  std::uint32_t encoders = 0;       ///< at work at once; 0: cores
  std::uint32_t max_waiting = 64;   ///< segments that wait for an encoder
  double least_speed = 1.3;         ///< times real time, of what is offered
  std::uint64_t bandwidth_mbit = 0; ///< of all sessions a second; 0: no limit
  std::uint64_t owner_mbit = 0;     ///< of each owner's
};

/// [bandwidth] What the server sends of streams, files and images, in megabits
/// a second; 0: no limit.
struct bandwidth_settings {
  std::uint64_t total_mbit = 0;
  std::uint64_t owner_mbit = 0;   ///< of each owner, else client address
  std::uint64_t session_mbit = 0; ///< of each stream, else connection
  std::uint64_t images_mbit = 0;  ///< of all images together
  /// Each `HH:MM-HH:MM MBIT`: another total, by the machine's local time; see
  /// `parse_hours`.
  std::vector<std::string> hours;
};

/// Everything, validated as a whole.
struct settings {
  log_settings log;
  http_settings http;
  store_settings store;
  spool_settings spool;
  data_settings data;
  library_settings library;
  pool_settings pools;
  node_settings node;
  alert_settings alerts;
  source_settings sources;
  tool_settings tools;
  sandbox_settings sandbox;
  event_settings events;
  edge_settings edge;
  callback_settings callbacks;
  image_settings images;
  stream_settings streams;
  bandwidth_settings bandwidth;
};

} // namespace troupe::config
