#include "media/child/children.hpp"
#include "media/probe/source_file.hpp"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

/// Codec children: birth, a probe beside ffprobe, a result of 2 MB, and what an
/// idle crew of two takes of the memory.
namespace troupe::media {
namespace {

runtime& threads() {
  static runtime all;
  return all;
}

codec_children& children() {
  static codec_children all{threads(), TROUPE_BENCH_CODEC};
  return all;
}

child_end run(codec_child& child, child_task task) {
  std::promise<child_end> ended;
  child.run(std::move(task), {{}, {}, [&ended](child_end end) {
                                ended.set_value(std::move(end));
                              }});
  return ended.get_future().get();
}

child_task named(const char* name, const char* params = "") {
  child_task task;
  task.name = name;
  task.params = params;
  return task;
}

/// Ten seconds of 720p with sound, made once.
const std::filesystem::path& film() {
  static const auto made = [] {
    auto path = std::filesystem::temp_directory_path()
                / ("child_bench." + std::to_string(::getpid()) + ".mp4");
    const auto command =
      "ffmpeg -v error -y -f lavfi -i testsrc=duration=10:size=1280x720 "
      "-f lavfi -i sine=duration=10 -c:v libx264 -preset veryfast -c:a aac "
      + path.string();
    if (std::system(command.c_str()) != 0)
      std::abort();
    return path;
  }();
  return made;
}

void birth_to_answer(benchmark::State& state) {
  for (auto _ : state) {
    const auto child = children().open(child_life::one_task);
    if (run(*child, named("sandbox")).code != errc::none)
      state.SkipWithError("no answer");
  }
}

void task_of_a_lasting_child(benchmark::State& state) {
  const auto child = children().open(child_life::lasting);
  for (auto _ : state)
    benchmark::DoNotOptimize(run(*child, named("sandbox")));
}

void result_of_two_megabytes(benchmark::State& state) {
  const auto child = children().open(child_life::lasting);
  for (auto _ : state)
    if (run(*child, named("large", "2000000")).result.size() != 2000000)
      state.SkipWithError("no answer");
}

void probe_by_a_child(benchmark::State& state) {
  film();
  for (auto _ : state) {
    const auto child = children().open(child_life::one_task);
    if (run(*child, probe_task(*open_media_file(film()))).code != errc::none)
      state.SkipWithError("no answer");
  }
}

void probe_by_ffprobe(benchmark::State& state) {
  const auto command = "ffprobe -v error -show_format -show_streams -of json "
                       + film().string() + " > /dev/null";
  for (auto _ : state)
    if (std::system(command.c_str()) != 0)
      state.SkipWithError("no answer");
}

/// As many at once as there are cores.
void probes_by_children(benchmark::State& state) {
  film();
  for (auto _ : state) {
    std::vector<std::unique_ptr<codec_child>> seats;
    std::vector<std::promise<child_end>> ends(
      static_cast<std::size_t>(state.range(0)));
    for (auto& end : ends) {
      seats.push_back(children().open(child_life::one_task));
      seats.back()->run(probe_task(*open_media_file(film())),
                        {{}, {}, [&end](child_end told) {
                           end.set_value(std::move(told));
                         }});
    }
    for (auto& end : ends)
      if (end.get_future().get().code != errc::none)
        state.SkipWithError("no answer");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

/// A share of each page that others have as well, in MB.
double memory_of(const std::string& process) {
  std::ifstream in{"/proc/" + process + "/smaps_rollup"};
  for (std::string word; in >> word;)
    if (double kb = 0; word == "Pss:" && in >> kb)
      return kb / 1024;
  return 0;
}

void memory_of_an_idle_crew(benchmark::State& state) {
  codec_children real{threads(), TROUPE_BENCH_REAL_CODEC};
  const std::array crew{real.open(child_life::lasting),
                        real.open(child_life::lasting)};
  for (auto _ : state)
    for (const auto& seat : crew)
      if (run(*seat, probe_task(*open_media_file(film()))).code != errc::none)
        state.SkipWithError("no answer");
  double all = 0;
  // The zygote is a child of the thread that started it, and so are its own.
  for (const auto& task :
       std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream in{task.path() / "children"};
    for (std::string pid; in >> pid;)
      if (std::filesystem::read_symlink("/proc/" + pid + "/exe")
          == TROUPE_BENCH_REAL_CODEC)
        all += memory_of(pid);
  }
  state.counters["crew_and_zygote_mb"] = all;
}

BENCHMARK(birth_to_answer)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(task_of_a_lasting_child)
  ->UseRealTime()
  ->Unit(benchmark::kMillisecond);
BENCHMARK(result_of_two_megabytes)
  ->UseRealTime()
  ->Unit(benchmark::kMillisecond);
BENCHMARK(probe_by_a_child)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(probes_by_children)
  ->Arg(2)
  ->Arg(4)
  ->UseRealTime()
  ->Unit(benchmark::kMillisecond);
BENCHMARK(memory_of_an_idle_crew)->UseRealTime()->Iterations(5);
BENCHMARK(probe_by_ffprobe)->UseRealTime()->Unit(benchmark::kMillisecond);

} // namespace
} // namespace troupe::media

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  std::filesystem::remove(troupe::media::film());
  return 0;
}
