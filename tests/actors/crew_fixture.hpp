#pragma once

#include "actors/crew.hpp"

#include "tests/actor_fixture.hpp"

#include "media/errc.hpp"
#include "media/imaging/service.hpp"

#include <caf/send.hpp>
#include <gmock/gmock.h>

#include <map>

namespace troupe::actors {

using namespace std::chrono_literals;
using media::work_ptr;

/// Children that keep their tasks until the test ends them, and a cache that
/// is a map.
class fake_images final : public media::image_service {
public:
  struct task {
    std::vector<std::string> outputs; ///< their cache busters
    bool batch = false;
    bool sets_text = false;
    media::child_listener listener;
  };

  class child final : public media::codec_child {
  public:
    child(fake_images& all, bool batch, bool sets_text)
      : all_(all), batch_(batch), sets_text_(sets_text) {
      ++all_.children;
    }
    ~child() override {
      --all_.children;
    }
    void run(media::child_task what, media::child_listener listener) override {
      const auto order = media::read_image_order(what.params).value();
      task fresh;
      for (const auto& each : order.outputs)
        fresh.outputs.push_back(each.cache_buster);
      fresh.batch = batch_;
      fresh.sets_text = sets_text_;
      fresh.listener = std::move(listener);
      all_.tasks.push_back(std::move(fresh));
    }
    void stop(media::errc) override {}

  private:
    fake_images& all_;
    bool batch_;
    bool sets_text_;
  };

  const media::option_rules& rules() const override {
    return rules_;
  }
  void find(media::image_query, media::image_heard) override {}
  media::cached_ptr recall(const media::image_work& work) override {
    recalled.push_back(work.tags);
    const auto found = kept.find(media::to_hex(work.key));
    return found == kept.end() ? nullptr : found->second;
  }
  result<media::cached_ptr> keep(const media::image_work& work,
                                 media::image_made made,
                                 const media::image_facts&) override {
    auto out = std::make_shared<media::cached_bytes>();
    out->bytes = std::move(made.bytes);
    kept[media::to_hex(work.key)] = out;
    return media::cached_ptr{std::move(out)};
  }
  void deny(const media::image_work&, const failure&) override {
    ++denied;
  }
  bool crashed(const media::image_work&) override {
    ++crashes;
    return false;
  }
  media::child_task compose(const std::vector<work_ptr>& works,
                            std::chrono::milliseconds) const override {
    media::image_order order;
    for (const auto& each : works)
      order.outputs.push_back(each->options);
    media::child_task out;
    out.params = media::encode_image_order(order);
    return out;
  }
  media::child_task compose_video(const media::image_input&,
                                  std::vector<media::video_wish>,
                                  std::chrono::milliseconds) const override {
    return {};
  }
  std::unique_ptr<media::codec_child> open_child(bool batch,
                                                 bool sets_text) override {
    return std::make_unique<child>(*this, batch, sets_text);
  }
  void purge(media::purge_order,
             std::function<void(result<std::uint64_t>)>) override {}
  media::image_figures figures() const override {
    return {};
  }

  std::vector<task> tasks; ///< all that were begun
  std::map<std::string, media::cached_ptr> kept;
  std::vector<std::vector<std::uint64_t>> recalled; ///< tags of the works
  int children = 0;
  int denied = 0;
  int crashes = 0;

private:
  media::option_rules rules_;
};

class CrewTest : public troupe::testing::ActorTest {
protected:
  CrewTest() {
    options.children = {1, 1};
    options.images = &images;
  }
  ~CrewTest() override {
    caf::anon_send_exit(crew_, caf::exit_reason::user_shutdown);
    run();
  }

  void start() {
    crew_ = caf::actor_cast<crew_actor>(sys.spawn(crew, options));
    run();
  }

  /// Asks for an image named by its source and a word.
  void ask(const std::string& source, const std::string& word,
           bool hurry = true, std::chrono::milliseconds limit = 10s,
           media::image_format format = media::image_format::jpeg,
           bool sets_text = false) {
    auto work = work_of(source, word);
    work->options.format = format;
    work->hurry = hurry;
    work->sets_text = sets_text;
    ask_for(std::move(work), word, limit);
  }

  static std::shared_ptr<media::image_work> work_of(const std::string& source,
                                                    const std::string& word) {
    auto work = std::make_shared<media::image_work>();
    work->key = media::key_of(source + word);
    auto input = std::make_shared<media::image_input>();
    input->identity = source;
    input->look.format = media::image_format::jpeg;
    work->input = std::move(input);
    work->options.cache_buster = word;
    work->options.format = media::image_format::jpeg;
    work->options.width = 100;
    return work;
  }

  /// A photograph whose header tells of so many megapixels.
  void ask_photo(const std::string& word, std::uint32_t megapixels,
                 bool progressive, std::chrono::milliseconds limit) {
    auto work = work_of(word, word);
    work->extent = {1000, 1000 * megapixels, progressive};
    ask_for(std::move(work), word, limit);
  }

  void ask_for(work_ptr work, const std::string& word,
               std::chrono::milliseconds limit) {
    image_ask wish{std::move(work), sched.clock().now() + limit, 5};
    caf::anon_send(
      crew_, image_request{std::move(wish),
                           answer<image_reply>{[this, word](auto outcome) {
                             heard.emplace_back(word, std::move(outcome));
                           }}});
    run();
  }

  /// Ends the task with an image of each output.
  void finish(std::size_t number) {
    media::image_result made;
    for (const auto& word : images.tasks.at(number).outputs) {
      media::image_made one;
      one.format = media::image_format::jpeg;
      one.bytes = "image " + word;
      made.outputs.push_back(std::move(one));
    }
    media::child_end end;
    end.result = media::encode_image_result(made);
    images.tasks.at(number).listener.on_end(std::move(end));
    run();
  }

  void fail_with(std::size_t number, media::errc code) {
    media::child_end end;
    end.code = code;
    images.tasks.at(number).listener.on_end(std::move(end));
    run();
  }

  crew_figures figures() {
    crew_figures out;
    caf::anon_send(crew_,
                   crew_request{answer<crew_figures>{[&out](const auto& told) {
                     out = told.value();
                   }}});
    run();
    return out;
  }

  std::vector<std::string> words() const {
    std::vector<std::string> out;
    for (const auto& [word, outcome] : heard)
      out.push_back(word);
    return out;
  }

  fake_images images;
  crew_options options;
  crew_actor crew_;
  std::vector<std::pair<std::string, result<image_reply>>> heard;
};

} // namespace troupe::actors
