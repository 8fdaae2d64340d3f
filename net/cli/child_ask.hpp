#pragma once

#include "media/child/children.hpp"

namespace troupe::cli {

/// Has a child of its own do a task, and waits for it.
[[nodiscard]] media::child_end ask_child(media::codec_children& children,
                                         media::child_task task);

} // namespace troupe::cli
