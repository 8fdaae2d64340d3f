#pragma once

#include "tests/actors/stream_fixture.hpp"

#include <gmock/gmock.h>

namespace troupe::actors {

using namespace testing;

constexpr timestamp_ms a_day = 86'400'000;

class StreamManagerTest : public StreamTest {
protected:
  StreamManagerTest() {
    options.registry = makers;
    auto& sessions = options.sessions;
    sessions.streams = &service;
    sessions.settings = &settings;
    sessions.wall = [this] {
      return wall;
    };
    sessions.put = [this](store::stream_record record, reply_to<bool> reply) {
      ++puts;
      if (store_away)
        return reply(fail(store::errc::unavailable));
      records[record.id] = std::move(record);
      reply(true);
    };
    sessions.drop = [this](const std::string& id, reply_to<bool> reply) {
      records.erase(id);
      reply(true);
    };
    sessions.result_of = [](const std::string&, media::result_heard heard) {
      heard(fail(media::errc::source_not_found, "no such job"));
    };
    sessions.tell = [this](event_batch batch) {
      for (auto& each : batch.subjects)
        events.push_back(std::move(each));
    };
    options.get = [this](const std::string& id,
                         reply_to<store::stream_record> reply) {
      const auto found = records.find(id);
      if (found == records.end())
        return reply(fail(store::errc::not_found, id));
      reply(found->second);
    };
  }

  void start() {
    streams_ = keep(caf::actor_cast<stream_actor>(sys.spawn(streams, options)));
    run();
  }

  /// As a killed server leaves them.
  void restart() {
    caf::anon_send_exit(streams_, caf::exit_reason::kill);
    run();
    service.tasks.clear();
    start();
  }

  void advance_all(std::chrono::milliseconds by) {
    wall += by.count();
    advance(by);
  }

  void open(const std::string& source = "local:///film.mkv",
            media::stream_mode mode = media::stream_mode::automatic,
            const std::string& owner = "anna", store::idempotency key = {}) {
    stream_ask ask;
    ask.wish.source = source;
    ask.wish.mode = mode;
    ask.owner = owner;
    ask.key = std::move(key);
    caf::anon_send(
      streams_,
      stream_open{std::move(ask), answer<stream_view>{[this](auto outcome) {
                    views.push_back(std::move(outcome));
                  }}});
    run();
  }

  /// Opens one, with its index.
  std::string open_one(const std::string& source = "local:///film.mkv") {
    const auto before = views.size();
    open(source);
    if (views.size() == before)
      finish(service.tasks.size() - 1);
    return views.back().value().id;
  }

  void fetch(const std::string& id, stream_file what,
             const std::string& rendition = {}, std::uint32_t number = 0) {
    stream_file_ask ask{id, what, rendition, number, {}};
    caf::anon_send(streams_,
                   stream_fetch{std::move(ask),
                                answer<stream_file_reply>{[this](auto outcome) {
                                  files.push_back(std::move(outcome));
                                }}});
    run();
  }

  void call(const std::string& id, stream_call::kind what,
            stream_change change = {}) {
    caf::anon_send(
      streams_,
      stream_call{what, id, change, answer<stream_view>{[this](auto outcome) {
                    views.push_back(std::move(outcome));
                  }}});
    run();
  }

  std::vector<stream_view> list() {
    std::vector<stream_view> out;
    caf::anon_send(
      streams_, stream_list{answer<std::vector<stream_view>>{[&out](auto all) {
        out = all.value();
      }}});
    run();
    return out;
  }

  std::vector<job_event_type> types() const {
    std::vector<job_event_type> out;
    for (const auto& each : events)
      if (each.topic == "streams")
        out.push_back(each.type);
    return out;
  }

  config::stream_settings settings;
  stream_options options;
  stream_actor streams_;
  timestamp_ms wall = 1'700'000'000'000;
  std::map<std::string, store::stream_record> records;
  bool store_away = false;
  int puts = 0;
  std::vector<subject_event> events;
  std::vector<result<stream_view>> views;
  std::vector<result<stream_file_reply>> files;
};

} // namespace troupe::actors
