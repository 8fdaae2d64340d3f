#include "server_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

namespace troupe::net {

namespace {

class job_files : public server_test {};

/// Bytes that were written to connections of a local port, and that their
/// peers have not taken (column tx_queue of proc(5)).
std::uint64_t untaken(std::uint16_t port) {
  std::ifstream table{"/proc/self/net/tcp"};
  std::string line;
  std::getline(table, line);
  std::uint64_t most = 0;
  while (std::getline(table, line)) {
    unsigned local = 0, state = 0;
    unsigned long waiting = 0;
    const auto read = std::sscanf(line.c_str(), " %*d: %*8x:%x %*8x:%*x %x %lx",
                                  &local, &state, &waiting);
    if (read == 3 && local == port)
      most = std::max<std::uint64_t>(most, waiting);
  }
  return most;
}

/// What is untaken when nothing has moved for a while.
std::uint64_t untaken_at_rest(std::uint16_t port) {
  std::uint64_t seen = 0;
  for (int same = 0, looks = 0; same < 10 && looks < 1000; ++looks) {
    const auto now = untaken(port);
    same = now > 0 && now == std::exchange(seen, now) ? same + 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return seen;
}

} // namespace

TEST_F(job_files, LeavesLittleToTheKernelForAClientThatDoesNotRead) {
  leave_file("v.mp4", std::string(16 << 20, 'x'));
  auto client = connect();

  client.send("GET /v1/jobs/done/files/v.mp4 HTTP/1.1\r\nHost: " + client.host()
              + "\r\n\r\n");

  const auto waiting = untaken_at_rest(port);
  EXPECT_GT(waiting, 0u);
  EXPECT_LE(waiting, 512u << 10);
  EXPECT_EQ(client.read().body.size(), 16u << 20);
}

TEST_F(job_files, ServesTheFileOfAJob) {
  leave_file("a \xc3\xa9.mp4", "0123456789");

  const auto answer = ask("GET", "/v1/jobs/done/files/a%20%C3%A9.mp4");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "0123456789");
  EXPECT_EQ(answer.fields.at("content-type"), "video/mp4");
  EXPECT_EQ(answer.fields.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(answer.fields.at("content-disposition"),
            "attachment; filename=\"a __.mp4\"; "
            "filename*=UTF-8''a%20%C3%A9.mp4");
  const auto head = ask("HEAD", "/v1/jobs/done/files/a%20%C3%A9.mp4");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.at("content-length"), "10");
}

TEST_F(job_files, ServesSubtitlesBesideTheFileOfAJob) {
  leave_file("film.mp4", "x");
  std::ofstream{library / "Someone" / "film.en.vtt"} << "WEBVTT";
  std::ofstream{library / "Someone" / "film two.en.vtt"} << "of another";

  const auto answer = ask("GET", "/v1/jobs/done/files/film.en.vtt");

  EXPECT_EQ(answer.body, "WEBVTT");
  EXPECT_EQ(answer.fields.at("content-type"), "text/vtt");
  EXPECT_EQ(ask("GET", "/v1/jobs/done/files/film%20two.en.vtt").status, 404);
}

TEST_F(job_files, ServesSeveralRangesOfAFileAtOnce) {
  leave_file("v.mp4", "0123456789");
  const std::string at = "/v1/jobs/done/files/v.mp4";
  auto client = connect();

  const auto answer =
    client.ask("GET", at, {}, "Range: bytes=0-1, -2 ,,4-4,99-\r\n");

  EXPECT_EQ(answer.status, 206);
  EXPECT_FALSE(answer.fields.contains("content-range"));
  const std::string type = answer.fields.at("content-type");
  const std::string kind = "multipart/byteranges; boundary=";
  ASSERT_TRUE(type.starts_with(kind));
  const auto line = "\r\n--" + type.substr(kind.size());
  const auto part = [&](std::string_view range, std::string_view bytes) {
    return line + "\r\nContent-Type: video/mp4\r\nContent-Range: bytes "
           + std::string{range} + "/10\r\n\r\n" + std::string{bytes};
  };
  EXPECT_EQ(answer.body, part("0-1", "01") + part("8-9", "89")
                           + part("4-4", "4") + line + "--\r\n");
  // The connection goes on where the parts end.
  EXPECT_EQ(client.ask("GET", at, {}, "Range: bytes=3-3\r\n").body, "3");
}

TEST_F(job_files, ServesAllOfAFileForRangesThatAreTooMany) {
  leave_file("v.bin", std::string(100, 'x'));
  const auto status = [&](const std::string& ranges) {
    return ask("GET", "/v1/jobs/done/files/v.bin", {},
               "Range: bytes=" + ranges + "\r\n")
      .status;
  };
  std::string many = "0-0";
  for (int i = 1; i < 16; ++i)
    many += ',' + std::to_string(2 * i) + '-' + std::to_string(2 * i);

  EXPECT_EQ(status(many), 206);
  EXPECT_EQ(status(many + ",99-99"), 200);
  EXPECT_EQ(status("0-60,30-90"), 200);
  EXPECT_EQ(status("0-1,x"), 200);
  EXPECT_EQ(status(","), 200);
}

TEST_F(job_files, ServesRangesOfAFile) {
  leave_file("v.bin", "0123456789");
  const std::string at = "/v1/jobs/done/files/v.bin";
  const auto etag = ask("GET", at).fields.at("etag");
  const auto part = [&](const std::string& fields) {
    return ask("GET", at, {}, fields);
  };

  EXPECT_EQ(part("Range: bytes=2-4\r\n").body, "234");
  EXPECT_EQ(part("Range: bytes=2-4\r\n").fields.at("content-range"),
            "bytes 2-4/10");
  EXPECT_EQ(part("Range: bytes=-3\r\n").body, "789");
  EXPECT_EQ(part("Range: bytes=8-\r\n").body, "89");
  EXPECT_EQ(part("Range: bytes=4-99\r\n").body, "456789");
  EXPECT_EQ(part("Range: bytes=10-\r\n").status, 416);
  EXPECT_EQ(part("Range: bytes=10-\r\n").fields.at("content-range"),
            "bytes */10");
  EXPECT_EQ(part("Range: bytes=-0, 30-,2-4\r\n").body, "234");
  EXPECT_EQ(part("Range: bytes=10-,12-13\r\n").status, 416);
  EXPECT_EQ(part("Range: lines=1-2\r\n").status, 200);
  EXPECT_EQ(part("Range: Bytes=2-4\r\n").body, "234");
  EXPECT_EQ(part("Range: bytes=2-4\r\nIf-Range: " + etag + "\r\n").status, 206);
  EXPECT_EQ(part("Range: bytes=2-4\r\nIf-Range: \"x\"\r\n").status, 200);
  EXPECT_EQ(part("If-None-Match: " + etag + "\r\n").status, 304);
  EXPECT_EQ(ask("HEAD", at, {}, "Range: bytes=2-4\r\n").status, 200);
}

TEST_F(job_files, ServesOnlyTheFileThatIfMatchNames) {
  leave_file("v.bin", "0123456789");
  const auto with = [this](const std::string& fields) {
    return ask("GET", "/v1/jobs/done/files/v.bin", {}, fields);
  };
  const auto etag = with("").fields.at("etag");

  EXPECT_EQ(with("If-Match: " + etag + "\r\n").status, 200);
  EXPECT_EQ(with("If-Match: *\r\n").status, 200);
  EXPECT_EQ(with("If-Match: \"x\", W/" + etag + ", " + etag + "\r\n").status,
            200);
  for (const auto& fields :
       {std::string{"If-Match: \"x\"\r\n"}, "If-Match: W/" + etag + "\r\n",
        "If-Match: \"x\"\r\nIf-None-Match: " + etag + "\r\n",
        std::string{"If-Match: \"x\"\r\nRange: bytes=2-4\r\n"}}) {
    const auto refused = with(fields);
    EXPECT_EQ(refused.status, 412) << fields;
    EXPECT_EQ(code_of(refused), "precondition_failed") << fields;
    EXPECT_EQ(refused.fields.at("etag"), etag) << fields;
  }
}

TEST_F(job_files, ServesLargeFilesWhole) {
  std::string content(3'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i * 31 / 7);
  leave_file("large.mkv", content);

  EXPECT_EQ(ask("GET", "/v1/jobs/done/files/large.mkv").body, content);
}

TEST_F(job_files, ServesNoOtherFiles) {
  leave_file("mine.mp4", "x");
  std::ofstream{library / "Someone" / "other.mp4"} << "y";
  store::job outside;
  outside.id = "outside";
  outside.type = "noop";
  outside.result = R"({"path":"/etc/hostname"})";
  gateway.add(outside);
  store::job linked = outside;
  linked.id = "linked";
  std::filesystem::create_symlink("/etc/hostname", library / "link.mp4");
  linked.result = boost::json::serialize(
    boost::json::object{{"path", (library / "link.mp4").string()}});
  gateway.add(linked);

  for (const auto* path :
       {"/v1/jobs/done/files/other.mp4", "/v1/jobs/done/files/..%2fmine.mp4",
        "/v1/jobs/outside/files/hostname", "/v1/jobs/linked/files/link.mp4",
        "/v1/jobs/none/files/mine.mp4"})
    EXPECT_EQ(code_of(ask("GET", path)), "not_found") << path;
}

} // namespace troupe::net
