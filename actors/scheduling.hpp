#pragma once

namespace caf {
class actor_system_config;
}

namespace troupe::actors {

/// Has actors scheduled so that the end of one costs no more than itself: by
/// itself, CAF asks its clock at each end to forget what that actor waits for,
/// and wakes the clock's thread to do so. Here it asks for those alone that
/// may wait for something.
void schedule_actors(caf::actor_system_config& config);

} // namespace troupe::actors
