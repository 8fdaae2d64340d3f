#include "actors/client_queue.hpp"

#include <gmock/gmock.h>

namespace troupe::actors {
namespace {

using ::testing::ElementsAre;

frame_ptr frame_of(std::string text, bool progress, std::string subject) {
  auto made = std::make_shared<frame>();
  made->text = std::move(text);
  made->progress = progress;
  made->subject = std::move(subject);
  return made;
}

TEST(ClientQueue, LetsTheNewestProgressOfAJobTakeTheOlderOnesPlace) {
  client_queue queue;
  queue.push(frame_of("a1", true, "a"));
  queue.push(frame_of("b1", true, "b"));
  queue.push(frame_of("change", false, "a"));
  queue.push(frame_of("a2", true, "a"));

  std::vector<std::string> out;
  EXPECT_EQ(queue.bytes(), 10u);
  while (const auto next = queue.pop())
    out.push_back(next->text);

  EXPECT_THAT(out, ElementsAre("b1", "change", "a2"));
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(ClientQueue, ForgetsProgressThatHasLeft) {
  client_queue queue;
  queue.push(frame_of("a1", true, "a"));
  EXPECT_EQ(queue.pop()->text, "a1");
  queue.push(frame_of("a2", true, "a"));
  queue.push(frame_of("a3", true, "a"));

  EXPECT_EQ(queue.pop()->text, "a3");
  EXPECT_EQ(queue.pop(), nullptr);
}

} // namespace
} // namespace troupe::actors
