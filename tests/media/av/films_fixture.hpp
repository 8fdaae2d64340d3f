#pragma once

#include "media/av/child_task.hpp"
#include "media/av/grid.hpp"
#include "media/av/ladder.hpp"
#include "media/child/children.hpp"
#include "tests/media/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <future>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::media {

/// A frame as ffmpeg decodes it.
struct decoded_frame {
  double time_s = 0;
  std::string md5;
};

/// A film in memory, given to who asks.
class film_source : public child_source {
public:
  explicit film_source(std::string bytes) : bytes_(std::move(bytes)) {}

  std::int64_t size() const override {
    return static_cast<std::int64_t>(bytes_.size());
  }
  void read(std::uint64_t offset, std::size_t size, heard done) override {
    ++reads;
    done(bytes_.substr(std::min<std::uint64_t>(offset, bytes_.size()), size));
  }

  int reads = 0;

private:
  std::string bytes_;
};

/// Real codec children on films that the ffmpeg command makes.
class Films : public testing::Test {
protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  void shell(const std::string& command) const {
    const auto whole = "cd " + folder_.path().string() + " && " + command;
    ASSERT_EQ(std::system(whole.c_str()), 0) << command;
  }

  void ffmpeg(const std::string& words) const {
    shell("ffmpeg -nostdin -v error -y " + words);
  }

  /// Pictures and a tone. @param how options of the output, its name the last
  void film(const std::string& how, double seconds = 12,
            const std::string& size = "320x180", int rate = 25) const {
    const auto length = std::to_string(seconds);
    ffmpeg("-f lavfi -i testsrc2=size=" + size + ":rate=" + std::to_string(rate)
           + ":duration=" + length
           + " -f lavfi -i sine=frequency=440:sample_rate=48000:duration="
           + length + " " + how);
  }

  /// H.264 with keys at odd times and B-frames, AAC.
  void usual_film(const std::string& name) const {
    film("-c:v libx264 -preset veryfast -g 70 -pix_fmt yuv420p "
         "-force_key_frames 0.9,3.3,5.1,9.5 -c:a aac -ac 2 "
         + name);
  }

  [[nodiscard]] std::string text_of(const std::string& command) const {
    shell(command + " > out.txt");
    return content_of(folder_.path() / "out.txt");
  }

  /// What ffmpeg decodes of the first stream of this kind, "v" or "a".
  [[nodiscard]] std::vector<decoded_frame>
  frames_of(const std::string& name, const std::string& kind = "v",
            const std::string& filter = {}) const {
    const auto text = text_of(
      "ffmpeg -nostdin -v error -copyts -i '" + name + "' -map 0:" + kind
      + ":0 " + filter + " -vsync passthrough -enc_time_base -1 -f framemd5 -");
    std::vector<decoded_frame> frames;
    std::istringstream lines{text};
    double unit = 0;
    for (std::string line; std::getline(lines, line);) {
      int num = 0;
      int den = 0;
      if (std::sscanf(line.c_str(), "#tb 0: %d/%d", &num, &den) == 2)
        unit = static_cast<double>(num) / den;
      long long dts = 0;
      long long pts = 0;
      if (line.empty() || line[0] == '#'
          || std::sscanf(line.c_str(), "0, %lld, %lld,", &dts, &pts) != 2)
        continue;
      frames.push_back(
        {static_cast<double>(pts) * unit, line.substr(line.rfind(' ') + 1)});
    }
    return frames;
  }

  /// Of a file of f32le.
  [[nodiscard]] std::vector<float> samples_of(const std::string& name) const {
    const auto bytes = content_of(folder_.path() / name);
    std::vector<float> samples(bytes.size() / sizeof(float));
    std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
    return samples;
  }

  static void expect_same(const std::vector<decoded_frame>& got,
                          const std::vector<decoded_frame>& wanted,
                          double tolerance_s = 0.0011, bool pixels = true) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(got[i].time_s, wanted[i].time_s, tolerance_s) << i;
      if (pixels) {
        ASSERT_EQ(got[i].md5, wanted[i].md5) << i << " at " << got[i].time_s;
      }
    }
  }

  // -- tasks ------------------------------------------------------------------

  void renew_child() {
    child_ = children_.open(child_life::lasting);
  }

  child_end run(av_order order, const std::string& name) {
    order.source_key = name;
    descriptor file{::open(path(name).c_str(), O_RDONLY | O_CLOEXEC)};
    EXPECT_TRUE(file) << name;
    return run(av_task(std::move(order), std::move(file)));
  }

  child_end run(child_task task) {
    auto ended = std::make_shared<std::promise<child_end>>();
    auto end = ended->get_future();
    child_listener listener;
    listener.on_end = [ended](child_end how) {
      ended->set_value(std::move(how));
    };
    child_->run(std::move(task), std::move(listener));
    return end.get();
  }

  av_index index_of(const std::string& name, bool scan = false) {
    av_order order;
    order.scan = scan;
    const auto end = run(order, name);
    EXPECT_EQ(end.code, errc::none) << name << ": " << end.message;
    auto index = read_av_index(end.result);
    EXPECT_TRUE(index) << name;
    return index ? *index : av_index{};
  }

  errc index_fails(const std::string& name) {
    return run(av_order{}, name).code;
  }

  [[nodiscard]] static const av_track& track_of(const av_index& index,
                                                av_kind kind) {
    for (const auto& each : index.tracks)
      if (each.kind == kind)
        return each;
    ADD_FAILURE() << "no such track";
    static const av_track none;
    return none;
  }

  /// The order of a segment of a grid.
  static av_order order_of(const av_index& index, av_what what, std::size_t n) {
    av_order order;
    order.what = what;
    order.base = index.base;
    order.origin_us = index.origin_us;
    order.sequence = static_cast<std::uint32_t>(n);
    const bool video =
      what == av_what::copy_video || what == av_what::encode_video;
    order.track =
      track_of(index, video ? av_kind::video : av_kind::audio).number;
    if (what == av_what::copy_video) {
      order.start = index.borders[index.copy_borders[n]];
      order.end = index.borders[index.copy_borders[n + 1]];
      order.key = order.start;
      order.last = n + 2 == index.copy_borders.size();
    } else {
      order.start = index.borders[n];
      order.end = index.borders[n + 1];
      order.key = index.keys[n];
      order.last = n + 2 == index.borders.size();
    }
    if (video) {
      const auto& track = track_of(index, av_kind::video);
      order.video = av_settings_of(track, av_ladder(track).front());
    } else {
      order.audio = av_settings_of(track_of(index, av_kind::audio));
    }
    return order;
  }

  av_result make(const av_order& order, const std::string& name) {
    const auto end = run(order, name);
    EXPECT_EQ(end.code, errc::none)
      << name << " segment " << order.sequence << ": " << end.message;
    auto made = read_av_result(end.result);
    EXPECT_TRUE(made || end.code != errc::none);
    return made ? std::move(*made) : av_result{};
  }

  [[nodiscard]] static std::size_t count_of(const av_index& index,
                                            av_what what) {
    if (what == av_what::copy_video)
      return index.copy_borders.empty() ? 0 : index.copy_borders.size() - 1;
    return what == av_what::encode_video ? index.video_segments
                                         : index.segments();
  }

  std::vector<av_result> make_all(const av_index& index, av_what what,
                                  const std::string& name) {
    std::vector<av_result> all;
    for (std::size_t n = 0; n < count_of(index, what); ++n)
      all.push_back(make(order_of(index, what, n), name));
    return all;
  }

  /// The first's init and all fragments, as one file.
  std::string join(const std::vector<av_result>& all,
                   const std::string& name) const {
    std::string bytes = all.empty() ? "" : all.front().init;
    for (const auto& each : all) {
      EXPECT_EQ(each.init, all.front().init);
      bytes += each.media;
    }
    write(folder_.path() / name, bytes);
    return name;
  }

  temporary_folder folder_;
  runtime threads_;
  codec_children children_{threads_, TROUPE_TEST_CODEC};
  std::unique_ptr<codec_child> child_ = children_.open(child_life::lasting);
};

} // namespace troupe::media
