#pragma once

#include "actors/answer.hpp"
#include "actors/image_desk.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

/// The protocol of images; a part of `messages.hpp`. Nothing of it leaves the
/// process.
namespace troupe::actors {

struct image_request {
  image_ask ask;
  answer<image_reply> reply;
};

struct crew_request {
  answer<crew_figures> reply;
};

/// Owns the lasting codec children that make images.
using crew_actor = caf::typed_actor<
  // Answered when it is made, or when its deadline is over.
  caf::reacts_to<image_request>,
  // How it is.
  caf::reacts_to<crew_request>>;

} // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::image_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::crew_request)
