#include "net/cli/findings.hpp"

#include "net/cli/text.hpp"

#include <iostream>

namespace troupe::cli {

void findings::ok(const std::string& what, const std::string& detail) {
  line("OK  ", what, detail, {});
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

void findings::line(const char* mark, const std::string& what,
                    const std::string& detail, const std::string& remedy) {
  std::cout << mark << "  " << pad(what, 12) << ' ' << printable(detail)
            << '\n';
  if (!remedy.empty())
    std::cout << "      " << pad("", 12) << " → " << printable(remedy) << '\n';
}

} // namespace troupe::cli
