#pragma once

#include <string>
#include <string_view>

namespace troupe::config {

/// The text with `***` for the user and password (RFC 3986, 3.2.1) of every
/// URL in it. Of JSON, other JSON of the same form comes, if its texts hold
/// slashes and colons unescaped.
[[nodiscard]] std::string hide_credentials(std::string_view text);

} // namespace troupe::config
