#pragma once

// Compiled once for the layer: CAF's templates dominate its build time.
#include "actors/messages.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
