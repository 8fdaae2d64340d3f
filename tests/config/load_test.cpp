#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace troupe::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Sources with a home, and `text` as the file `t.toml`.
sources from(std::string text) {
  return {"t.toml", std::move(text), {{"HOME", "/home/x"}}, {}};
}

std::vector<std::string> texts(const loaded& done) {
  std::vector<std::string> out;
  for (const auto& wrong : done.problems)
    out.push_back(wrong.text());
  return out;
}

std::string file_text() {
  std::ifstream in{TROUPE_TOML_FILE};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// troupe.toml with its keys no longer commented.
std::string uncommented(const std::string& text) {
  std::istringstream in{text};
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const auto equals = line.find(" = ");
    const bool key = line.starts_with("# ") && equals != line.npos
                     && line.find(' ', 2) == equals;
    out += (key ? line.substr(2) : line) + "\n";
  }
  return out;
}

TEST(Load, TakesDefaultsAndDerivesFoldersWhereNothingIsWritten) {
  auto done = load({"", "", {{"HOME", "/home/x"}}, {}});

  EXPECT_THAT(texts(done), IsEmpty());
  EXPECT_EQ(done.values.http.listen, "127.0.0.1:8080");
  EXPECT_EQ(done.values.data.dir, "/home/x/.local/share/troupe");
  EXPECT_EQ(done.values.library.dir, "/home/x/.local/share/troupe/library");
  EXPECT_EQ(done.values.store.url,
            "sqlite:/home/x/.local/share/troupe/queue.db");
}

TEST(Load, PrefersFlagsToTheEnvironmentAndThatToTheFile) {
  auto all = from("[http]\nlisten = \"127.0.0.1:1\"\nidle_timeout_s = 5\n"
                  "max_connections = 7\n");
  all.environment.emplace_back("TROUPE_HTTP_LISTEN", "127.0.0.1:2");
  all.environment.emplace_back("TROUPE_HTTP_IDLE_TIMEOUT_S", "6");
  all.flags.push_back({"--listen", "http.listen", {"127.0.0.1:3"}});

  auto done = load(all);

  EXPECT_THAT(texts(done), IsEmpty());
  EXPECT_EQ(done.values.http.listen, "127.0.0.1:3");
  EXPECT_EQ(done.values.http.idle_timeout_s, 6u);
  EXPECT_EQ(done.values.http.max_connections, 7u);
}

TEST(Load, ReadsEveryFormFromTheEnvironment) {
  auto all = from("");
  all.environment.emplace_back("TROUPE_SOURCES_ALLOW",
                               "127.0.0.2/32, fd00::/8");
  all.environment.emplace_back("TROUPE_SOURCES_ALLOW_PRIVATE", "true");
  all.environment.emplace_back("TROUPE_STORE_LEASE_S", "2.5");
  all.environment.emplace_back("TROUPE_LIBRARY_MEDIA_ROOTS", "/a,/b");
  all.environment.emplace_back("TROUPE_SERVER", "http://x");
  all.environment.emplace_back("TROUPE_TOKEN", "t");

  auto done = load(all);

  EXPECT_THAT(texts(done), IsEmpty());
  EXPECT_THAT(done.values.sources.allow,
              ElementsAre("127.0.0.2/32", "fd00::/8"));
  EXPECT_TRUE(done.values.sources.allow_private);
  EXPECT_EQ(done.values.store.lease_s, 2.5);
  EXPECT_THAT(done.values.library.media_roots, ElementsAre("/a", "/b"));
}

TEST(Load, ReadsListsOfNumbers) {
  auto all = from("[images]\nhint_widths = [100, 2000]\n");
  EXPECT_THAT(load(all).values.images.hint_widths, ElementsAre(100u, 2000u));

  all.environment.emplace_back("TROUPE_IMAGES_HINT_WIDTHS", "300, 600");
  const auto done = load(all);

  EXPECT_THAT(texts(done), IsEmpty());
  EXPECT_THAT(done.values.images.hint_widths, ElementsAre(300u, 600u));
  EXPECT_EQ(show(done.values, "images.hint_widths"), "[300, 600]");
}

TEST(Load, RefusesListsThatAreNotOfNumbersInTheirRange) {
  for (const auto* list : {"[]", "[\"100\"]", "[100, \"x\"]", "[0]",
                           "[100, 65536]", "[-1]", "[1.5]", "100", "\"100\""}) {
    const auto done =
      load(from("[images]\nhint_widths = " + std::string{list} + "\n"));

    EXPECT_THAT(texts(done), ElementsAre("t.toml:2: images.hint_widths: must "
                                         "be a list of whole numbers from 1 to "
                                         "65535"))
      << list;
  }
}

TEST(Load, ReportsAllProblemsAtOnceWithTheirPlaces) {
  auto all = from("[http]\nlisten = \"nowhere\"\nport = 1\n[log]\n"
                  "level = 3\n[nothing]\nx = 1\n[pools]\nvideo = -1\n");
  all.environment.emplace_back("TROUPE_PORT", "80");
  all.environment.emplace_back("TROUPE_STORE_LEASE_S", "soon");
  all.flags.push_back({"--store", "store.url", {"mysql://x"}});

  auto done = load(all);

  EXPECT_THAT(
    texts(done),
    ::testing::UnorderedElementsAre(
      HasSubstr("t.toml:2: http.listen: must be address:port"),
      "t.toml:3: http.port: is no known key",
      "t.toml:5: log.level: must be a text",
      "t.toml:6: nothing: is no known section",
      "t.toml:9: pools.video: must be a whole number from 0 to 1000",
      "TROUPE_PORT: names no known key",
      "TROUPE_STORE_LEASE_S: store.lease_s: must be a number from 1 to 3600",
      HasSubstr("--store: store.url: must be sqlite:PATH, memory:, redis://")));
}

TEST(Load, ReportsEveryWrongElementOfAList) {
  auto all = from("[sources]\nallow = [\"10.0.0.0/8\", \"x\", \"::/129\"]\n");
  all.environment.emplace_back("TROUPE_HTTP_ORIGINS", "a, https://good, b");

  const auto done = load(all);

  EXPECT_THAT(texts(done),
              ::testing::UnorderedElementsAre(
                HasSubstr("t.toml:2: sources.allow: \"x\" must be"),
                HasSubstr("t.toml:2: sources.allow: \"::/129\" must be"),
                HasSubstr("TROUPE_HTTP_ORIGINS: http.origins: \"a\" must be"),
                HasSubstr("TROUPE_HTTP_ORIGINS: http.origins: \"b\" must be")));
}

TEST(Load, TellsTheLineOfASyntaxError) {
  auto done = load(from("[http]\nlisten = \n"));

  ASSERT_THAT(done.problems, SizeIs(1));
  EXPECT_EQ(done.problems[0].where, "t.toml:2");
}

TEST(Load, RefusesADataFolderThatClientsCouldRead) {
  auto done = load(from("[data]\ndir = \"/srv/media/troupe\"\n"
                        "[library]\nmedia_roots = [\"/x\", \"/srv/media\"]\n"));

  EXPECT_THAT(texts(done), ElementsAre(HasSubstr(
                             "t.toml:2: data.dir: must not lie in the media "
                             "root /srv/media")));
}

TEST(Load, RefusesALibraryThatHoldsTheDataFolder) {
  auto done = load(from("[data]\ndir = \"/srv/a/b/\"\n"
                        "[library]\ndir = \"/srv/a/../a\"\n"));

  EXPECT_THAT(texts(done), ElementsAre(HasSubstr("t.toml:4: library.dir")));
}

TEST(Load, LetsAFolderBesideOneOfTheSamePrefixPass) {
  auto done = load(from("[data]\ndir = \"/srv/media-data\"\n"
                        "[library]\nmedia_roots = [\"/srv/media\"]\n"));

  EXPECT_THAT(texts(done), IsEmpty());
}

TEST(Load, RefusesToListenOffLoopback) {
  for (const auto* listen : {"0.0.0.0:80", "[::]:80", "192.168.1.2:80"}) {
    auto all = from("");
    all.flags.push_back({"--listen", "http.listen", {listen}});
    EXPECT_THAT(texts(load(all)),
                Contains(HasSubstr("--listen: http.listen: must be a "
                                   "loopback address")));
  }
  for (const auto* listen : {"127.0.0.2:0", "[::1]:8080"}) {
    auto all = from("");
    all.flags.push_back({"--listen", "http.listen", {listen}});
    EXPECT_THAT(texts(load(all)), IsEmpty()) << listen;
  }
}

TEST(Load, NeedsAHomeOrADataFolder) {
  EXPECT_THAT(texts(load({"", "", {}, {}})),
              ElementsAre(HasSubstr("default: data.dir: must be set")));
}

TEST(Load, ChecksTheFormOfEachValue) {
  const std::pair<const char*, const char*> bad[] = {
    {"alerts.disk_low", "0.05 0.08"},
    {"alerts.disk_low", "0.05 0.08 -1"},
    {"alerts.queue_age", "600 60 30 1"},
    {"http.listen", "localhost"},
    {"http.listen", "::1:80"},
    {"http.listen", "127.0.0.1:65536"},
    {"http.listen", "127.0.0.1:"},
    {"http.listen", "[127.0.0.1]:1"},
    {"http.hosts", "a b"},
    {"http.hosts", "http://a"},
    {"http.origins", "example.org"},
    {"http.origins", "https://example.org/"},
    {"http.max_connections", "0"},
    {"http.max_connections", "1e3"},
    {"http.max_connections", ""},
    {"store.url", "sqlite:"},
    {"store.url", "sqlite::memory:"},
    {"store.url", "redis://"},
    {"store.url", "redis://h:x/0"},
    {"store.url", "redis://h:1/a"},
    {"store.url", "redis+unix://"},
    {"store.url", "redis+unix:///socket?name=1"},
    {"store.url", "redis+sentinel://h:1"},
    {"store.url", "redis+sentinel://h:1,/name"},
    {"store.url", "redis+sentinel://h:1/name/x"},
    {"store.url", "memory"},
    {"store.lease_s", "nan"},
    {"store.lease_s", "0.5"},
    {"sources.allow", "10.0.0.0"},
    {"sources.allow", "10.0.0.0/33"},
    {"sources.allow", "fd00::/129"},
    {"sources.allow", "x/8"},
    {"sources.allow_private", "yes"},
    {"log.format", "xml"},
    {"tools.yt_dlp", ""},
    {"library.media_roots", "/a,,/b"}};
  for (const auto& [key, value] : bad) {
    auto all = from("");
    all.environment.emplace_back(variable_of(key), value);

    EXPECT_THAT(texts(load(all)), SizeIs(1)) << key << " = " << value;
  }
}

TEST(Load, KeepsTheEmbeddedStoreFromWhereClientsRead) {
  for (const auto* url : {"sqlite:/media/queue.db", "sqlite:/library/q.db"}) {
    auto all = from("[library]\ndir = \"/library\"\n"
                    "media_roots = [\"/media\"]\n");
    all.flags.push_back({"--store", "store.url", {url}});

    EXPECT_THAT(texts(load(all)), ElementsAre(HasSubstr("store.url"))) << url;
  }
}

TEST(Load, TakesARelativeDatabaseFromTheWorkingFolder) {
  auto all = from("");
  all.flags.push_back({"--store", "store.url", {"sqlite:queue.db"}});

  EXPECT_EQ(load(all).values.store.url,
            "sqlite:" + std::filesystem::current_path().string() + "/queue.db");
}

TEST(Load, TakesHoursThatDoNotOverlap) {
  const auto hours = [](const std::string& list) {
    return texts(load(from("[bandwidth]\nhours = [" + list + "]\n")));
  };

  EXPECT_THAT(hours(R"("22:00-06:00 100", "06:00-08:30 0", "20:00-22:00 5")"),
              IsEmpty());
  EXPECT_THAT(hours(R"("00:00-24:00 1")"), IsEmpty());
  EXPECT_THAT(hours(R"("22:00-06:00 100", "05:59-07:00 1")"),
              ElementsAre(HasSubstr("bandwidth.hours: must not overlap, as "
                                    "22:00-06:00 100 and 05:59-07:00 1 do")));
  for (const auto* wrong :
       {"", "22:00-06:00", "22:00-06:00 ", "22:00-06:00 -1", "22:00-06:00 1.5",
        "2:00-06:00 1", "22:60-06:00 1", "24:00-06:00 1", "24:01-06:00 1",
        "06:00-24:01 1", "06:00-06:00 1", "06:00 07:00 1", "06:00-07:00  1",
        "06:00-07:00 1 ", "06:00-07:00 1000000001", "+6:00-07:00 1"})
    EXPECT_THAT(hours('"' + std::string{wrong} + '"'),
                ElementsAre(HasSubstr("must be HH:MM-HH:MM MBIT")))
      << wrong;
}

TEST(Load, ReportsEveryWrongLimitOfBandwidth) {
  const auto done = load(from("[bandwidth]\ntotal_mbit = -1\n"
                              "owner_mbit = \"x\"\nsession_mbit = 1.5\n"
                              "images_mbit = 2000000000\nhours = [\"x\"]\n"));

  EXPECT_THAT(done.problems, SizeIs(5));
}

TEST(Show, HidesThePasswordOfTheStore) {
  settings values;
  values.store.url = "redis://me:se@cret@h:1/0";

  EXPECT_EQ(show(values, "store.url"), "\"redis://***@h:1/0\"");
}

TEST(TroupeToml, HoldsEveryKeyWithItsDefault) {
  const auto text = file_text();

  std::string section;
  std::vector<std::string> found;
  std::istringstream in{uncommented(text)};
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("["))
      section = line.substr(1, line.size() - 2);
    else if (const auto at = line.find(" = ");
             !line.starts_with("#") && at != line.npos) {
      found.push_back(section + "." + line.substr(0, at));
      EXPECT_EQ(line.substr(at + 3), show(settings{}, found.back()))
        << found.back();
    }
  }

  EXPECT_EQ(found, key_names());
}

TEST(TroupeToml, LoadsAsItIsAndUncommented) {
  EXPECT_THAT(texts(load(from(file_text()))), IsEmpty());
  EXPECT_THAT(texts(load(from(uncommented(file_text())))), IsEmpty());
}

} // namespace
} // namespace troupe::config
