#pragma once

#include "media/codec/worker.hpp"

namespace troupe::codec {

/// `main` of a zygote: a process with one thread that bears codec children for
/// the server until its control socket ends. Children are the server's own
/// (CLONE_PARENT): it reaps them, and they outlive their zygote. Returns the
/// exit code.
int zygote_main(task_table tasks, std::span<char*> words);

} // namespace troupe::codec
