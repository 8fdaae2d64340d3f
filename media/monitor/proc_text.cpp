#include "media/monitor/proc_text.hpp"

#include "media/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace troupe::media {

namespace {

constexpr std::size_t proc_limit = 64u << 10;

} // namespace

std::string file_text(const std::filesystem::path& path) {
  const descriptor in{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string text;
  char block[4096];
  while (in && text.size() < proc_limit) {
    const auto count = ::read(in.get(), block, sizeof block);
    if (count <= 0)
      break;
    text.append(block, static_cast<std::size_t>(count));
  }
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto size = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, size));
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return lines;
}

std::vector<std::uint64_t> numbers_of(std::string_view text,
                                      std::size_t count) {
  std::vector<std::uint64_t> numbers(count);
  for (auto& number : numbers) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(std::min(text.find(' '), text.size()));
  }
  return numbers;
}

double decimal_of(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

} // namespace troupe::media
