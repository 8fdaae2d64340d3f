#include "actors/crew.hpp"

#include "../actor_fixture.hpp"

#include "media/errc.hpp"
#include "media/imaging/service.hpp"

#include <caf/send.hpp>
#include <gmock/gmock.h>

#include <map>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using media::work_ptr;
using ::testing::ElementsAre;

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

TEST_F(CrewTest, MakesWhatAHundredAskForOnce) {
  start();
  for (int i = 0; i < 100; ++i)
    ask("a", "one");
  ASSERT_EQ(images.tasks.size(), 1u);
  finish(0);

  ASSERT_EQ(heard.size(), 100u);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    ASSERT_TRUE(heard[i].second);
    EXPECT_EQ(heard[i].second->coalesced, i > 0);
    EXPECT_EQ(heard[i].second->image->bytes, "image one");
  }
  EXPECT_EQ(figures().tasks, 1u);
  EXPECT_EQ(figures().coalesced, 99u);
}

TEST_F(CrewTest, AnswersFromMemoryWhatWasMadeMeanwhile) {
  start();
  ask("a", "one");
  finish(0);
  ask("a", "one");

  EXPECT_EQ(heard.size(), 2u);
  EXPECT_EQ(images.tasks.size(), 1u);
}

TEST_F(CrewTest, MakesWhatWaitsOfOneSourceByOneTask) {
  start();
  ask("other", "first");
  ask("a", "one");
  ask("b", "two");
  ask("a", "three");
  ask("a", "slow", true, 10s, media::image_format::avif);
  finish(0);

  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_THAT(images.tasks[1].outputs, ElementsAre("one", "three"));
  finish(1);
  EXPECT_THAT(words(), ElementsAre("first", "one", "three"));
  EXPECT_THAT(images.tasks[2].outputs, ElementsAre("two"));
  finish(2);
  EXPECT_THAT(images.tasks[3].outputs, ElementsAre("slow"));
}

TEST_F(CrewTest, TakesWhatIsDueFirst) {
  start();
  ask("x", "first");
  ask("a", "late", true, 9s);
  ask("b", "soon", true, 5s);
  finish(0);

  EXPECT_THAT(images.tasks[1].outputs, ElementsAre("soon"));
}

TEST_F(CrewTest, KeepsPagesAndBatchesApart) {
  start();
  for (int i = 0; i < 5; ++i)
    ask("batch " + std::to_string(i), "b" + std::to_string(i), false);
  ask("page", "p");

  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_TRUE(images.tasks[0].batch);
  EXPECT_FALSE(images.tasks[1].batch);
}

TEST_F(CrewTest, HurriesWhatAPageWaitsFor) {
  start();
  ask("x", "first", false);
  ask("a", "one", false);
  ASSERT_EQ(images.tasks.size(), 1u);

  ask("a", "one", true);

  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_FALSE(images.tasks[1].batch);
  finish(1);
  EXPECT_THAT(words(), ElementsAre("one", "one"));
}

TEST_F(CrewTest, RefusesWhenTooManyWait) {
  options.most_waiting = 2;
  start();
  for (int i = 0; i < 4; ++i)
    ask(std::to_string(i), std::to_string(i));

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].first, "3");
  ASSERT_FALSE(heard[0].second);
  EXPECT_EQ(heard[0].second.error().code.category(), overload_category());
  EXPECT_EQ(figures().refused, 1u);
}

TEST_F(CrewTest, RefusesAtOnceWhatWouldWaitBeyondItsDeadline) {
  start();
  ask_photo("running", 90, true, 10s);
  ask_photo("in time", 1, false, 5s);
  ask_photo("too late", 1, false, 500ms);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].first, "too late");
  EXPECT_EQ(heard[0].second.error().code.category(), overload_category());
}

TEST_F(CrewTest, ExpectsLessOfWhatIsQuickToRead) {
  start();
  ask_photo("running", 90, false, 10s);
  ask_photo("next", 1, false, 500ms);

  EXPECT_TRUE(heard.empty());
  EXPECT_EQ(figures().page.waiting, 1u);
}

TEST_F(CrewTest, NotesTheTagsOfAllWhoAsked) {
  start();
  ask("a", "one");
  auto tagged = work_of("a", "one");
  tagged->tags = {7};
  ask_for(std::move(tagged), "one", 10s);
  finish(0);

  EXPECT_EQ(heard.size(), 2u);
  EXPECT_THAT(images.recalled, ::testing::Contains(ElementsAre(7u)));
}

TEST_F(CrewTest, RemembersWhatTookMostOfItsTimeInVain) {
  start();
  ask("a", "slow", true, 10s);
  advance(9s);
  fail_with(0, media::errc::timeout);
  EXPECT_EQ(images.denied, 1);

  ask("b", "quick", true, 10s);
  advance(1s);
  fail_with(1, media::errc::timeout);
  EXPECT_EQ(images.denied, 1);
}

TEST_F(CrewTest, TriesAgainOnceWhatKillsItsChild) {
  start();
  ask("a", "one");
  fail_with(0, media::errc::crashed);
  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_TRUE(heard.empty());
  fail_with(1, media::errc::crashed);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].second.error().code, media::errc::crashed);
  EXPECT_EQ(images.crashes, 2);
  ask("b", "two");
  EXPECT_EQ(images.tasks.size(), 3u);
}

TEST_F(CrewTest, TellsAndRemembersWhatIsNoImage) {
  start();
  ask("a", "one");
  ask("b", "two");
  fail_with(0, media::errc::invalid_media);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].second.error().code, media::errc::invalid_media);
  EXPECT_EQ(images.denied, 1);
  EXPECT_EQ(images.tasks.size(), 2u);
}

TEST_F(CrewTest, SetsTextByAChildThatSeesFonts) {
  start();
  ask("a", "picture");
  finish(0);
  ask("a", "text", true, 10s, media::image_format::jpeg, true);
  finish(1);
  ask("a", "picture again");

  EXPECT_FALSE(images.tasks[0].sets_text);
  EXPECT_TRUE(images.tasks[1].sets_text);
  EXPECT_FALSE(images.tasks[2].sets_text);
  EXPECT_EQ(images.children, 2);
}

TEST_F(CrewTest, GivesUpWhatNoChildCanTakeInTime) {
  start();
  ask("a", "one", true, 60s);
  ask("b", "two", true, 60ms);
  advance(70ms);

  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].first, "two");
  EXPECT_EQ(heard[0].second.error().code, errc::deadline);
}

TEST_F(CrewTest, GivesThePlaceOfASlowChildToAnother) {
  start();
  ask("a", "slow", true, 80ms);
  ask("b", "next", true, 60s);
  ASSERT_EQ(images.tasks.size(), 1u);
  advance(50ms);

  ASSERT_EQ(images.tasks.size(), 2u);
  EXPECT_EQ(images.children, 2);
  EXPECT_EQ(figures().replaced, 1u);
  finish(0);
  EXPECT_EQ(images.children, 1);
  finish(1);
  EXPECT_THAT(words(), ElementsAre("slow", "next"));
}

} // namespace
} // namespace troupe::actors
