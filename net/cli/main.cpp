#include "media/tool/tool.hpp"
#include "net/cli/parse.hpp"

#include <cstring>

int main(int argc, char** argv) {
  // The guard comes first and alone: it must not start anything of ours.
  if (argc > 1 && std::strcmp(argv[1], "tool-guard") == 0)
    return troupe::media::tool_guard_main(argc, argv);
  return troupe::cli::run(argc, argv);
}
