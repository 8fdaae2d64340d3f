#pragma once

#include "tests/actor_fixture.hpp"
#include "tests/media/stream/stream_fixture.hpp"

#include "actors/stream_manager.hpp"
#include "media/errc.hpp"
#include "media/stream/service.hpp"

#include <caf/send.hpp>

#include <map>
#include <set>

namespace troupe::actors::testing {

using namespace std::chrono_literals;

/// Children that keep their tasks until the test ends them; what is kept is in
/// maps, of which the test may empty that of the memory.
class fake_streams final : public media::stream_service {
public:
  struct task {
    media::av_order order;
    std::uint64_t child = 0;
    std::chrono::milliseconds stall{0};
    media::child_listener listener;
  };

  class child final : public media::codec_child {
  public:
    child(fake_streams& all, std::uint64_t number)
      : all_(all), number_(number) {
      all_.children.insert(number_);
    }
    ~child() override {
      all_.children.erase(number_);
    }
    void run(media::child_task what, media::child_listener listener) override {
      all_.tasks.push_back({media::read_av_order(what.params).value(), number_,
                            what.stall, std::move(listener)});
    }
    void stop(media::errc) override {}

  private:
    fake_streams& all_;
    std::uint64_t number_;
  };

  const media::stream_signer& signer() const override {
    return signer_;
  }
  void open_source(std::string source, std::string,
                   media::source_heard heard) override {
    ++opened;
    if (source.ends_with("missing.mkv"))
      return heard(fail(media::errc::source_not_found, source));
    heard(media::testing::some_source(source));
  }
  media::cached_ptr recall(const media::cache_key& key) override {
    const auto found = memory.find(media::to_hex(key));
    return found == memory.end() ? nullptr : found->second;
  }
  void look_up(const media::cache_key& key,
               media::cached_heard heard) override {
    if (auto here = recall(key))
      return heard(here);
    const auto found = disk.find(media::to_hex(key));
    heard(found == disk.end() ? nullptr : found->second);
  }
  media::cached_ptr keep(const media::cache_key& key, media::stream_part part,
                         std::string bytes, double,
                         media::stream_keep where) override {
    auto made = std::make_shared<media::cached_bytes>();
    made->note.kind = static_cast<std::uint8_t>(part);
    made->bytes = std::move(bytes);
    memory[media::to_hex(key)] = made;
    if (where == media::stream_keep::disk)
      disk[media::to_hex(key)] = made;
    return made;
  }
  media::child_task compose(const media::stream_source&, media::av_order order,
                            std::chrono::milliseconds stall) override {
    media::child_task out;
    out.params = media::encode_av_order(order);
    out.stall = stall;
    return out;
  }
  std::unique_ptr<media::codec_child> open_child(media::child_rank) override {
    return std::make_unique<child>(*this, ++number_);
  }
  void renew(const media::stream_source&) override {}
  bool crashed(const media::stream_source&) override {
    return ++crashes >= most_crashes;
  }
  media::stream_figures figures() const override {
    return {};
  }

  std::vector<task> tasks; ///< all that were begun
  std::set<std::uint64_t> children;
  std::map<std::string, media::cached_ptr> memory, disk;
  int opened = 0;
  int crashes = 0;
  int most_crashes = 100;

private:
  media::stream_signer signer_{{"a key of tests"}};
  std::uint64_t number_ = 0;
};

class StreamTest : public troupe::testing::ActorTest {
protected:
  StreamTest() {
    makers.parts = {&service, nullptr, 2s};
    makers.encoders = 2;
  }
  /// Nobody that holds the service lives on.
  ~StreamTest() override {
    service.tasks.clear();
  }

  /// Ends a task as a child does that has made it.
  void finish(std::size_t number, double speed = 4) {
    const auto& order = service.tasks.at(number).order;
    media::child_end end;
    if (order.what == media::av_what::index) {
      end.result = media::encode_av_index(index);
    } else {
      media::av_result made;
      made.init = "init";
      made.media = "segment " + std::to_string(order.sequence);
      made.speed = speed;
      end.result = media::encode_av_result(made);
    }
    service.tasks.at(number).listener.on_end(std::move(end));
    run();
  }

  void fail_with(std::size_t number, media::errc code) {
    media::child_end end;
    end.code = code;
    service.tasks.at(number).listener.on_end(std::move(end));
    run();
  }

  /// The sequence numbers of all tasks begun, in order.
  std::vector<std::uint32_t> begun() const {
    std::vector<std::uint32_t> out;
    for (const auto& each : service.tasks)
      out.push_back(each.order.sequence);
    return out;
  }

  fake_streams service;
  media::av_index index = media::testing::film();
  registry_options makers;
};

} // namespace troupe::actors::testing
