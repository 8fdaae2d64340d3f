#include "media/transcode/meter.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace troupe::media {

namespace {

namespace json = boost::json;

constexpr std::chrono::seconds remember_every{1};

} // namespace

transcode_meter::transcode_meter(double duration_s, std::size_t pieces,
                                 clock::time_point now)
  : duration_s_(duration_s), pieces_(pieces), began_(now), remember_at_(now) {}

void transcode_meter::add(double work, bool made) {
  ++done_;
  share_ += work;
  if (made)
    fresh_ += work;
}

progress transcode_meter::now(clock::time_point at) const {
  auto told = at_stage("encode");
  const std::chrono::duration<double> took = at - began_;
  const auto fresh = fresh_ + partial_;
  if (fresh > 0 && took.count() > 0) {
    told.rate = fresh * duration_s_ / took.count();
    told.eta_s = std::max(1 - share_ - partial_, 0.0) * took.count() / fresh;
    char speed[32];
    std::snprintf(speed, sizeof speed, "%.2fx", told.rate);
    told.message = speed;
  }
  return told;
}

progress transcode_meter::at_stage(std::string stage) const {
  progress told;
  told.stage = std::move(stage);
  told.unit = "seconds";
  const auto share = std::min(share_ + partial_, 1.0);
  told.fraction = duration_s_ > 0 ? share : -1;
  told.total = std::llround(duration_s_);
  told.done = std::llround(share * duration_s_);
  return told;
}

std::string transcode_meter::checkpoint(clock::time_point now) {
  if (now < remember_at_ && done_ < pieces_)
    return {};
  remember_at_ = now + remember_every;
  return json::serialize(json::object{{"pieces", done_}, {"of", pieces_}});
}

} // namespace troupe::media
