#include "media/stream/held_bytes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::media {

TEST(HeldBytes, AreFoundAsLongAsSomebodyHoldsThem) {
  held_bytes held;
  const auto key = key_of("one");
  auto bytes = std::make_shared<const cached_bytes>();
  held.note(key, bytes);

  EXPECT_EQ(held.find(key), bytes);
  EXPECT_FALSE(held.find(key_of("another")));
  bytes.reset();
  EXPECT_FALSE(held.find(key));
}

TEST(HeldBytes, AreForgottenWhenManyAreNoted) {
  held_bytes held;
  const auto kept = std::make_shared<const cached_bytes>();
  held.note(key_of("kept"), kept);
  for (int i = 0; i < 10'000; ++i)
    held.note(key_of(std::to_string(i)), std::make_shared<cached_bytes>());

  EXPECT_LT(held.size(), 100u);
  EXPECT_EQ(held.find(key_of("kept")), kept);
}

} // namespace troupe::media
