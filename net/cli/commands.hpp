#pragma once

#include "config/load.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What `troupe` can be asked to do. Each command returns the exit code.
namespace troupe::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1; ///< the job failed
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_server = 3;
inline constexpr int exit_interrupted = 130; ///< Ctrl-C, as shells have it

/// For every command that talks to a server.
struct client_options {
  std::string server; ///< a URL; empty: TROUPE_SERVER, or the local one
  std::string token;  ///< empty: TROUPE_TOKEN
  bool json = false;  ///< the server's own words
};

struct submit_options {
  std::string type;
  std::vector<std::string> params; ///< `key=value` or `key:=json`
  std::optional<int> priority;
  std::string at; ///< RFC 3339
  std::vector<std::string> tags;
  bool watch = false;
  std::string batch; ///< a file with the body of a batch; `-`: stdin
};

struct list_options {
  std::string state, type, queue, tag, batch;
  std::uint32_t limit = 50;
};

/// For the commands that read the configuration.
struct config_options {
  std::filesystem::path file;
  std::vector<config::flag> flags;
  bool print = false;  ///< `config check`: the settings that count
  bool repair = false; ///< `doctor`: mends the store
  bool json = false;   ///< `doctor`: all findings, as JSON
};

int serve(const config_options& options);
int doctor(const config_options& options);
/// Tells of a file what a stream of it would copy, what not and why.
int doctor_stream(const std::string& file);
int check_config(const config_options& options);

int submit(const client_options& to, const submit_options& options);
int watch(const client_options& to, const std::vector<std::string>& ids);
int list_jobs(const client_options& to, const list_options& options);
int show_job(const client_options& to, const std::string& id);
/// Prints a job's log; `follow`: until the job has ended.
int show_log(const client_options& to, const std::string& id, bool follow);
/// `action`: cancel, retry, pause or resume.
int act_on_jobs(const client_options& to, const std::string& action,
                const std::vector<std::string>& ids);
int list_queues(const client_options& to);
int list_nodes(const client_options& to);
int list_streams(const client_options& to);
int list_schedules(const client_options& to);

/// Settings without problems, or nothing after all problems were printed.
[[nodiscard]] std::optional<config::settings>
read_settings(const config_options& options);

/// What settings say that may be meant so, though something does not work with
/// it as things are: a media root that is not there, since its disk may be
/// mounted later. A sentence each.
[[nodiscard]] std::vector<std::string>
doubts_of(const config::settings& settings);

} // namespace troupe::cli
