#include "tests/media/download/origin.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

extern char** environ;

namespace troupe::media {

namespace fs = std::filesystem;

namespace {

pid_t spawn(std::vector<std::string> argv, int out) {
  std::vector<char*> raw;
  for (auto& word : argv)
    raw.push_back(word.data());
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (out >= 0)
    posix_spawn_file_actions_adddup2(&actions, out, 1);
  pid_t pid = -1;
  if (posix_spawnp(&pid, raw[0], &actions, nullptr, raw.data(), environ) != 0)
    ADD_FAILURE() << "cannot start " << argv[0];
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

void run(std::vector<std::string> argv) {
  int status = -1;
  ::waitpid(spawn(std::move(argv), -1), &status, 0);
  EXPECT_EQ(status, 0);
}

/// The number at the end of the first line.
std::string port_in(int from) {
  std::string line;
  for (char c = 0; ::read(from, &c, 1) == 1 && c != '\n';)
    line += c;
  return line.substr(line.rfind(' ') + 1);
}

std::vector<std::string> ffmpeg(int seconds, const std::string& tone) {
  const auto length = std::to_string(seconds);
  return {"ffmpeg",
          "-v",
          "error",
          "-nostdin",
          "-y",
          "-f",
          "lavfi",
          "-i",
          "testsrc=duration=" + length + ":size=320x180:rate=25",
          "-f",
          "lavfi",
          "-i",
          "sine=frequency=" + tone + ":duration=" + length,
          "-c:v",
          "libx264",
          "-preset",
          "ultrafast",
          "-pix_fmt",
          "yuv420p",
          "-c:a",
          "aac"};
}

std::string content(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string call(const std::string& port, const std::string& request) {
  namespace asio = boost::asio;
  asio::io_context io;
  asio::ip::tcp::socket socket{io};
  socket.connect({asio::ip::make_address("127.0.0.1"),
                  static_cast<std::uint16_t>(std::stoi(port))});
  asio::write(socket, asio::buffer(request
                                   + " HTTP/1.1\r\nHost: x\r\n"
                                     "Connection: close\r\n"
                                     "Content-Length: 0\r\n\r\n"));
  std::string answer;
  boost::system::error_code end;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  return answer;
}

} // namespace

origin::origin(fs::path folder) : folder_(std::move(folder)) {
  fs::create_directories(folder_);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    ADD_FAILURE() << "no pipe";
  process_ = spawn({"/usr/bin/python3", TROUPE_TEST_ORIGIN, folder_.string(),
                    "--bind", "127.0.0.1", "--bind", "127.0.0.3"},
                   ends[1]);
  ::close(ends[1]);
  port_ = port_in(ends[0]);
  ::close(ends[0]);
}

origin::~origin() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

std::string origin::url(const std::string& path,
                        const std::string& host) const {
  return "http://" + host + ":" + port_ + path;
}

fs::path origin::clip(const std::string& name, int seconds) {
  auto argv = ffmpeg(seconds, std::to_string(300 + name.size()));
  const auto file = folder_ / name;
  argv.insert(argv.end(), {"-f", "mp4", file.string()});
  run(std::move(argv));
  return file;
}

void origin::segments(const std::string& name, int seconds) {
  fs::create_directories(folder_ / name);
  auto argv = ffmpeg(seconds, "440");
  argv.insert(argv.end(), {"-g", "50", "-f", "segment", "-segment_time", "2",
                           (folder_ / name / "%03d.ts").string()});
  run(std::move(argv));
}

void origin::show_version(int version) {
  call(port_, "POST /version?is=" + std::to_string(version));
}

std::string origin::log() const {
  return call(port_, "GET /log");
}

std::vector<std::string> processes_naming(const std::string& text) {
  std::vector<std::string> found;
  const auto own = std::to_string(::getpid());
  for (const auto& entry : fs::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos || name == own)
      continue;
    std::error_code gone;
    const auto folder = fs::read_symlink(entry.path() / "cwd", gone).string();
    const auto command = content(entry.path() / "cmdline");
    const bool serves = command.find("origin.py") != command.npos;
    if (!serves
        && (folder.find(text) != folder.npos
            || command.find(text) != command.npos))
      found.push_back(name);
  }
  return found;
}

} // namespace troupe::media
