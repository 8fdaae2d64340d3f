#include "media/codec/probe.hpp"

#include <cstdio>
#include <string>
#include <string_view>

/// `troupe-codec probe FILE` prints one line of JSON and ends with a
/// `probe_status`.
int main(int argc, char** argv) {
  using namespace troupe::codec;
  if (argc != 3 || std::string_view{argv[1]} != "probe") {
    std::fputs("usage: troupe-codec probe FILE\n", stderr);
    return static_cast<int>(probe_status::usage);
  }
  const auto answer = probe_file(argv[2]);
  std::puts(answer.json.c_str());
  return static_cast<int>(answer.status);
}
