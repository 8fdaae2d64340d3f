#include "media/av/join_task.hpp"

#include "media/av/members_json.hpp"

#include <type_traits>

namespace troupe::media {

template <class Of, class Visit>
requires std::same_as<std::remove_const_t<Of>, av_join_track>
void members(Of& of, Visit visit) {
  visit("track", of.track);
  visit("video", of.video);
  visit("primed", of.primed);
  visit("end_us", of.end_us);
}

template <class Of, class Visit>
requires std::same_as<std::remove_const_t<Of>, av_join_order>
void members(Of& of, Visit visit) {
  visit("container", of.container);
  visit("tracks", of.tracks);
}

template <class Of, class Visit>
requires std::same_as<std::remove_const_t<Of>, av_check_order>
void members(Of& of, Visit visit) {
  visit("video", of.video);
  visit("audio", of.audio);
  visit("duration_s", of.duration_s);
}

std::string encode_av_join(const av_join_order& order) {
  return as_json::json::serialize(as_json::write(order));
}

result<av_join_order> read_av_join(std::string_view params) {
  return as_json::read_ours<av_join_order>(errc::bad_params, params);
}

std::string encode_av_check(const av_check_order& order) {
  return as_json::json::serialize(as_json::write(order));
}

result<av_check_order> read_av_check(std::string_view params) {
  return as_json::read_ours<av_check_order>(errc::bad_params, params);
}

} // namespace troupe::media
