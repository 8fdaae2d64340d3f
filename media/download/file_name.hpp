#pragma once

#include "config/result.hpp"

#include <string>
#include <string_view>

namespace troupe::media {

/// What a file name can be made of. Texts come from the source: anything may
/// stand in them.
struct name_fields {
  std::string title;
  std::string id;
  std::string uploader;
  std::string channel;
  std::string upload_date; ///< YYYYMMDD
  std::string extractor;
  std::string host;
  std::string height;
  std::string width;
  std::string ext; ///< from the file itself
};

/// `bad_params` for an unknown field, an unclosed brace, an absolute path, an
/// empty, `.` or `..` segment, or more than eight segments.
[[nodiscard]] result<void> check_file_template(std::string_view text);

/// The path below the library without its extension: every segment made safe
/// on its own, whatever the fields hold; a title too long is cut before the
/// rest of its segment is. A trailing `.{ext}` of the template is left off.
/// @pre the template passed `check_file_template`.
[[nodiscard]] std::string file_stem(std::string_view text,
                                    const name_fields& fields);

} // namespace troupe::media
