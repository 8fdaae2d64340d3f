#include "config/log.hpp"

#include <spdlog/spdlog.h>

namespace troupe::log {

namespace {

void write(spdlog::level::level_enum level, std::string_view what,
           fields with) {
  if (!spdlog::should_log(level))
    return;
  std::string line{what};
  for (const auto& [key, value] : with)
    line.append(" ").append(key).append("=").append(value);
  spdlog::log(level, "{}", line);
}

} // namespace

void start(const config::log_settings& settings) {
  spdlog::set_level(spdlog::level::from_str(settings.level));
}

bool debugs() noexcept {
  return spdlog::should_log(spdlog::level::debug);
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
