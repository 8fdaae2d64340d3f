#include "tests/store/redis_server.hpp"

#include <hiredis/hiredis.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::store::testing {

namespace {

using namespace std::chrono_literals;

struct free_context {
  void operator()(redisContext* it) const noexcept {
    redisFree(it);
  }
};
struct free_reply {
  void operator()(redisReply* it) const noexcept {
    freeReplyObject(it);
  }
};

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
    ::bind(fd, any, size) == 0 && ::getsockname(fd, any, &size) == 0;
  ::close(fd);
  if (!bound)
    throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

pid_t spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const auto& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0)
    return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent)
    ::execvp(argv[0], argv.data());
  ::_exit(127);
}

std::string text_of(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER)
    return std::to_string(reply.integer);
  if (reply.type != REDIS_REPLY_ARRAY)
    return reply.str ? std::string{reply.str, reply.len} : std::string{};
  std::string lines;
  for (std::size_t i = 0; i < reply.elements; ++i)
    lines += text_of(*reply.element[i]) + "\n";
  return lines;
}

} // namespace

redis_server::redis_server(redis_server_options options)
  : options_{std::move(options)} {
  auto name =
    (std::filesystem::temp_directory_path() / "troupe-redis-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("no temporary folder");
  folder_ = name;
  if (options_.tcp)
    port_ = free_port();
  start();
}

redis_server::~redis_server() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string redis_server::url() const {
  return options_.tcp ? "redis://127.0.0.1:" + std::to_string(port_) + "/0"
                      : "redis+unix://" + (folder_ / "socket").string();
}

std::vector<std::string> redis_server::arguments() const {
  if (!options_.sentinel.empty()) {
    const auto file = folder_ / "sentinel.conf";
    std::ofstream{file} << "bind 127.0.0.1\nport " << port_ << "\ndir "
                        << folder_.string() << "\nlogfile log\n"
                        << options_.sentinel;
    return {"redis-server", file.string(), "--sentinel"};
  }
  std::vector<std::string> arguments{"redis-server",
                                     "--dir",
                                     folder_.string(),
                                     "--logfile",
                                     "log",
                                     "--save",
                                     "",
                                     "--bind",
                                     "127.0.0.1",
                                     "--port",
                                     std::to_string(port_)};
  auto add = [&](std::initializer_list<std::string> some) {
    arguments.insert(arguments.end(), some);
  };
  if (!options_.tcp)
    add({"--unixsocket", (folder_ / "socket").string()});
  if (!options_.fsync.empty())
    add({"--appendonly", "yes", "--appendfsync", options_.fsync});
  arguments.insert(arguments.end(), options_.more.begin(), options_.more.end());
  return arguments;
}

void redis_server::start() {
  pid_ = spawn(arguments());
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!answers()) {
    if (std::chrono::steady_clock::now() > deadline
        || ::waitpid(pid_, nullptr, WNOHANG) != 0)
      throw std::runtime_error("redis-server does not start");
    std::this_thread::sleep_for(2ms);
  }
}

void redis_server::kill() {
  if (pid_ < 0)
    return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void redis_server::freeze() {
  ::kill(pid_, SIGSTOP);
  ::waitpid(pid_, nullptr, WUNTRACED);
}

void redis_server::thaw() {
  ::kill(pid_, SIGCONT);
  ::waitpid(pid_, nullptr, WCONTINUED);
}

std::filesystem::path redis_server::log_file() const {
  for (const auto& it :
       std::filesystem::directory_iterator{folder_ / "appendonlydir"})
    if (it.path().string().ends_with(".incr.aof"))
      return it.path();
  throw std::runtime_error("no append-only file");
}

std::uintmax_t redis_server::log_size() const {
  return std::filesystem::file_size(log_file());
}

void redis_server::cut_log(std::uintmax_t size) {
  std::filesystem::resize_file(log_file(), size);
}

bool redis_server::answers() const {
  const std::unique_ptr<redisContext, free_context> context{
    options_.tcp ? redisConnect("127.0.0.1", port_)
                 : redisConnectUnix((folder_ / "socket").c_str())};
  if (!context || context->err != 0)
    return false;
  const std::unique_ptr<redisReply, free_reply> reply{
    static_cast<redisReply*>(redisCommand(context.get(), "PING"))};
  // A server that asks for a password is up, too.
  return reply
         && (reply->type == REDIS_REPLY_STATUS
             || std::string_view{reply->str}.starts_with("NOAUTH"));
}

std::string redis_server::command(const std::vector<std::string>& args) const {
  const std::unique_ptr<redisContext, free_context> context{
    options_.tcp ? redisConnect("127.0.0.1", port_)
                 : redisConnectUnix((folder_ / "socket").c_str())};
  if (!context || context->err != 0)
    throw std::runtime_error("redis-server does not answer");
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const auto& arg : args) {
    texts.push_back(arg.data());
    sizes.push_back(arg.size());
  }
  const std::unique_ptr<redisReply, free_reply> reply{static_cast<redisReply*>(
    redisCommandArgv(context.get(), static_cast<int>(texts.size()),
                     texts.data(), sizes.data()))};
  if (!reply || reply->type == REDIS_REPLY_ERROR)
    throw std::runtime_error(reply ? reply->str : "no reply");
  return text_of(*reply);
}

} // namespace troupe::store::testing
