#pragma once

#include "media/codec/pointers.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>

namespace troupe::codec {

/// UTF-8 of what a file says, whatever it is encoded in.
[[nodiscard]] std::string text_of(const char* from);

/// Seconds with three digits, more than any container keeps; 0: unknown.
[[nodiscard]] double seconds_of(std::int64_t value, AVRational base);

/// What is known of a stream. `codecs` is its RFC 6381 string where one is
/// defined, made from the parameter sets that the file holds.
[[nodiscard]] boost::json::object describe_stream(AVFormatContext& input,
                                                  AVStream& stream);

/// The `codecs` parameter of RFC 6381, or empty.
[[nodiscard]] std::string codecs_of(const AVCodecParameters& codec);

} // namespace troupe::codec
