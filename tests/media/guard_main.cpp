#include "media/tool/tool.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

/// The guard as a program of its own, and a stand-in for the server:
/// `host FOLDER SCRIPT` runs a shell script under a guard, passes on what it
/// prints, and waits to be killed.
int main(int argc, char** argv) {
  using namespace troupe::media;
  if (argc > 1 && std::strcmp(argv[1], "tool-guard") == 0)
    return tool_guard_main(argc, argv);
  if (argc != 4)
    return 2;
  runtime threads;
  tool_runner runner{threads, "/proc/self/exe"};
  tool_command command;
  command.argv = {"/bin/sh", "-c", argv[3]};
  command.folder = argv[2];
  command.lock_file = command.folder / "lock";
  tool_listener listener;
  listener.on_output_line = [](std::string_view line) {
    std::puts(std::string{line}.c_str());
    std::fflush(stdout);
  };
  const auto started = runner.run(std::move(command), std::move(listener));
  if (!started)
    return 1;
  for (;;)
    ::pause();
}
