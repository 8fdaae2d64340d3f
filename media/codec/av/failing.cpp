#include "media/codec/av/failing.hpp"

extern "C" {
#include <libavutil/error.h>
}

namespace troupe::codec {

failure av_failure(int code, const std::string& what) {
  using media::errc;
  char said[AV_ERROR_MAX_STRING_SIZE]{};
  av_strerror(code, said, sizeof said);
  const auto why = code == AVERROR(ENOMEM) ? errc::memory
                   : code == AVERROR(EIO)  ? errc::io_error
                                           : errc::invalid_media;
  return fail(why, what + ": " + said);
}

} // namespace troupe::codec
