#include "media/child/zygote_link.hpp"
#include "media/process_start.hpp"

namespace troupe::media {

spawned_zygote spawn_zygote(const std::filesystem::path& program, int births,
                            const child_views& views) {
  auto control = make_socket_ends();
  const auto book = moved_up(births);
  if (!control.theirs || !book)
    return {};
  process_start start;
  start.mute(1);
  start.hand_over(control.theirs, zygote_control_fd);
  start.hand_over(book, zygote_births_fd);
  std::vector<std::string> words{"zygote"};
  for (const auto& path : views.fonts)
    words.push_back("font=" + path.string());
  if (!views.render_node.empty())
    words.push_back("render=" + views.render_node.string());
  // OpenBLAS starts threads when it is loaded, unless it is told not to.
  auto made = start.run(program, std::move(words),
                        {"OPENBLAS_NUM_THREADS=1", "MALLOC_ARENA_MAX=2"},
                        zygote_births_fd);
  if (!made.process)
    return {};
  return {made.pid, std::move(made.process), std::move(control.ours)};
}

} // namespace troupe::media
