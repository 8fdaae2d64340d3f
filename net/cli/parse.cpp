#include "net/cli/parse.hpp"

#include "net/cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>

namespace troupe::cli {

namespace {

/// What the command line asks for. Invariant: `act` is set by the one
/// subcommand that was named.
struct request {
  client_options client;
  submit_options submit;
  list_options list;
  config_options config;
  std::vector<std::string> ids;
  std::string id;
  bool allow_private = false;
  bool follow = false;
  std::function<int()> act;
};

void add_client(CLI::App& command, client_options& to) {
  command.add_option("--server", to.server,
                     "URL of the server (or TROUPE_SERVER)");
  command.add_option("--token", to.token, "API token (or TROUPE_TOKEN)");
  command.add_flag("--json", to.json, "Print what the server says, as JSON");
}

/// A flag that sets a key of the configuration.
void add_setting(CLI::App& command, config_options& to, std::string name,
                 std::string key, const char* help) {
  command
    .add_option_function<std::vector<std::string>>(
      name,
      [&to, name, key](const std::vector<std::string>& values) {
        to.flags.push_back({name, key, values});
      },
      help)
    ->expected(1)
    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_settings(CLI::App& command, request& to) {
  auto& config = to.config;
  command.add_option("--config", config.file, "TOML file with settings");
  add_setting(command, config, "--listen", "http.listen",
              "Address and port; port 0 picks a free one");
  add_setting(command, config, "--data", "data.dir", "The server's own files");
  add_setting(command, config, "--media-root", "library.media_roots",
              "Folder that local: sources may name; repeatable");
  add_setting(command, config, "--store", "store.url",
              "sqlite:PATH, redis://HOST:PORT/DB or memory:");
  command.add_flag_callback(
    "--allow-private-sources",
    [&config] {
      config.flags.push_back(
        {"--allow-private-sources", "sources.allow_private", {"true"}});
    },
    "Let downloads fetch from private and loopback addresses");
}

void add_submit(CLI::App& app, request& to) {
  auto* command = app.add_subcommand("submit", "Submit a job");
  auto& options = to.submit;
  auto* type = command->add_option("type", options.type, "Type of job");
  command
    ->add_option("--batch", options.batch,
                 "File with the body of a batch, - for stdin")
    ->excludes(type);
  command->add_option("params", options.params,
                      "key=value (lists split at commas) or key:=JSON");
  command->add_flag("--watch", options.watch, "Stay until it has ended");
  command->add_option("--priority", options.priority, "0 to 9, 9 first");
  command->add_option("--at", options.at, "Not before, RFC 3339");
  command->add_option("--tag", options.tags, "Tag; repeatable")
    ->expected(1)
    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_client(*command, to.client);
  command->callback([&to] {
    to.act = [&to] {
      return submit(to.client, to.submit);
    };
  });
}

void add_lists(CLI::App& app, request& to) {
  auto* jobs = app.add_subcommand("jobs", "List jobs, newest first");
  jobs->add_option("--state", to.list.state);
  jobs->add_option("--type", to.list.type);
  jobs->add_option("--queue", to.list.queue);
  jobs->add_option("--tag", to.list.tag);
  jobs->add_option("--batch", to.list.batch);
  jobs->add_option("--limit", to.list.limit, "At most so many")
    ->check(CLI::Range(1, 1000000))
    ->capture_default_str();
  add_client(*jobs, to.client);
  jobs->callback([&to] {
    to.act = [&to] {
      return list_jobs(to.client, to.list);
    };
  });

  auto* queues = app.add_subcommand("queues", "Show each queue's jobs");
  add_client(*queues, to.client);
  queues->callback([&to] {
    to.act = [&to] {
      return list_queues(to.client);
    };
  });

  auto* nodes = app.add_subcommand("nodes", "Show machines and their pools");
  add_client(*nodes, to.client);
  nodes->callback([&to] {
    to.act = [&to] {
      return list_nodes(to.client);
    };
  });

  auto* streams = app.add_subcommand("streams", "Show who watches what");
  add_client(*streams, to.client);
  streams->callback([&to] {
    to.act = [&to] {
      return list_streams(to.client);
    };
  });

  auto* schedules = app.add_subcommand("schedules", "Show recurring jobs");
  add_client(*schedules, to.client);
  schedules->callback([&to] {
    to.act = [&to] {
      return list_schedules(to.client);
    };
  });
}

void add_job_commands(CLI::App& app, request& to) {
  auto* one = app.add_subcommand("job", "Show one job");
  one->add_option("id", to.id)->required();
  add_client(*one, to.client);
  one->callback([&to] {
    to.act = [&to] {
      return show_job(to.client, to.id);
    };
  });

  auto* see =
    app.add_subcommand("watch", "Show progress until jobs have ended");
  see->add_option("ids", to.ids)->required();
  add_client(*see, to.client);
  see->callback([&to] {
    to.act = [&to] {
      return watch(to.client, to.ids);
    };
  });

  auto* log = app.add_subcommand("log", "Show a job's own log");
  log->add_option("id", to.id)->required();
  log->add_flag("--follow", to.follow, "Stay until the job has ended");
  add_client(*log, to.client);
  log->callback([&to] {
    to.act = [&to] {
      return show_log(to.client, to.id, to.follow);
    };
  });

  static constexpr std::pair<const char*, const char*> actions[] = {
    {"cancel", "Cancel jobs"},
    {"retry", "Run ended jobs once more"},
    {"pause", "Pause jobs; running ones keep their checkpoint"},
    {"resume", "Let paused jobs go on"}};
  for (const auto& [action, help] : actions) {
    auto* command = app.add_subcommand(action, help);
    command->add_option("ids", to.ids)->required();
    add_client(*command, to.client);
    command->callback([&to, action = action] {
      to.act = [&to, action] {
        return act_on_jobs(to.client, action, to.ids);
      };
    });
  }
}

void add_server_commands(CLI::App& app, request& to) {
  auto* server = app.add_subcommand("serve", "Run a server");
  add_settings(*server, to);
  server->callback([&to] {
    to.act = [&to] {
      return serve(to.config);
    };
  });

  auto* check = app.add_subcommand("doctor", "Look for what is missing");
  add_settings(*check, to);
  check->add_flag("--repair", to.config.repair,
                  "Mend what contradicts itself in the job store");
  check->add_flag("--json", to.config.json, "Print the findings as JSON");
  auto* film = check->add_subcommand(
    "stream", "Tell how a file would be streamed, and why");
  film->add_option("file", to.id)->required();
  check->callback([&to, film] {
    to.act = [&to, streams = film->parsed()] {
      return streams ? doctor_stream(to.id) : doctor(to.config);
    };
  });

  auto* config = app.add_subcommand("config", "Look at the configuration");
  config->require_subcommand(1);
  auto* read = config->add_subcommand("check", "Report all that is wrong");
  add_settings(*read, to);
  read->add_flag("--print", to.config.print, "Print the settings that count");
  read->callback([&to] {
    to.act = [&to] {
      return check_config(to.config);
    };
  });

  app.add_subcommand("version", "Print the version")->callback([&to] {
    to.act = [] {
      std::puts("troupe " TROUPE_VERSION);
      return exit_done;
    };
  });
}

} // namespace

int run(int argc, char** argv) {
  CLI::App app{"Durable media jobs with live progress.", "troupe"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "troupe " TROUPE_VERSION);
  request asked;
  add_server_commands(app, asked);
  add_submit(app, asked);
  add_job_commands(app, asked);
  add_lists(app, asked);
  app.footer("Exit codes: 0 done, 1 the job failed, 2 usage, 3 no server.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? exit_done : exit_usage;
  }
  return asked.act();
}

} // namespace troupe::cli
