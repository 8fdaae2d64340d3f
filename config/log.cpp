#include "config/log.hpp"

#include "config/credentials.hpp"
#include "config/utf8.hpp"

#include <boost/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <memory>

namespace troupe::log {

namespace {

std::atomic<bool> as_json{false};

std::shared_ptr<spdlog::logger> make_logger() {
  auto logger = std::make_shared<spdlog::logger>(
    "troupe", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                      spdlog::pattern_time_type::utc);
  return logger;
}

spdlog::logger& out() {
  // Lines may still come from threads that outlive static destructors.
  static auto& logger = *new std::shared_ptr<spdlog::logger>{make_logger()};
  return *logger;
}

/// As it stands, or quoted where a reader could not tell where it ends.
void append_text(std::string& line, std::string_view value) {
  const bool plain =
    !value.empty() && value.find_first_of(" \"=\\") == value.npos
    && std::none_of(value.begin(), value.end(), [](char c) {
         return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
       });
  line += plain ? std::string{value}
                : boost::json::serialize(boost::json::string{value});
}

std::string as_text(std::string_view what, fields with) {
  std::string line{what};
  for (const auto& [key, value] : with) {
    line.append(" ").append(key).append("=");
    append_text(line, config::valid_utf8(value));
  }
  return line;
}

/// What spdlog's pattern leaves open: the message and the fields, as the rest
/// of a JSON object.
std::string as_members(std::string_view what, fields with) {
  boost::json::object members;
  members["message"] = config::valid_utf8(what);
  for (const auto& [key, value] : with)
    members[key] = config::valid_utf8(value);
  return boost::json::serialize(members).substr(1);
}

void write(spdlog::level::level_enum level, std::string_view what,
           fields with) {
  auto& logger = out();
  if (!logger.should_log(level))
    return;
  logger.log(level, spdlog::string_view_t{config::hide_credentials(
                      as_json ? as_members(what, with) : as_text(what, with))});
}

} // namespace

void start(const config::log_settings& settings) {
  as_json = settings.format == "json";
  out().set_level(spdlog::level::from_str(settings.level));
  if (as_json)
    out().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v)",
                      spdlog::pattern_time_type::utc);
}

bool debugs() noexcept {
  return out().should_log(spdlog::level::debug);
}

bool informs() noexcept {
  return out().should_log(spdlog::level::info);
}

void debug(std::string_view what, fields with) {
  write(spdlog::level::debug, what, with);
}

void info(std::string_view what, fields with) {
  write(spdlog::level::info, what, with);
}

void warn(std::string_view what, fields with) {
  write(spdlog::level::warn, what, with);
}

void error(std::string_view what, fields with) {
  write(spdlog::level::err, what, with);
}

} // namespace troupe::log
