#include "net/cli/findings.hpp"

#include "actors/store/json_text.hpp"
#include "config/text.hpp"
#include "net/cli/commands.hpp"
#include "net/cli/text.hpp"

#include <iostream>

namespace troupe::cli {

void findings::ok(const std::string& what, const std::string& detail) {
  line("OK", what, detail, {});
}

void findings::warn(const std::string& what, const std::string& detail,
                    const std::string& remedy) {
  line("WARN", what, detail, remedy);
}

void findings::fail(const std::string& what, const std::string& detail,
                    const std::string& remedy) {
  failed_ = true;
  line("FAIL", what, detail, remedy);
}

int findings::finish() {
  if (as_json_)
    std::cout << R"({"ok":)" << (failed_ ? "false" : "true")
              << R"(,"findings":[)" << json_ << "]}\n";
  return failed_ ? exit_failed : exit_done;
}

void findings::add(const char* mark, const std::string& what,
                   const std::string& detail, const std::string& remedy) {
  json_ += json_.empty() ? R"({"level":)" : R"(,{"level":)";
  json::append_string(json_, config::lower(mark));
  json_ += R"(,"what":)";
  json::append_string(json_, what);
  json_ += R"(,"detail":)";
  json::append_string(json_, detail);
  json_ += R"(,"remedy":)";
  json::append_optional(json_, remedy);
  json_ += '}';
}

void findings::line(const char* mark, const std::string& what,
                    const std::string& detail, const std::string& remedy) {
  if (as_json_)
    return add(mark, what, detail, remedy);
  std::cout << pad(mark, 4) << "  " << pad(what, 12) << ' ' << printable(detail)
            << '\n';
  if (!remedy.empty())
    std::cout << "      " << pad("", 12) << " → " << printable(remedy) << '\n';
}

} // namespace troupe::cli
