#pragma once

#include <string_view>

/// The files of `lua/`, embedded at build time. A script is `job`, `indexes`
/// and one of the others.
namespace troupe::store::lua {

extern const std::string_view job, indexes;
extern const std::string_view submit, checkpoint, commit, succeed, fail,
  release, cancel, retry, purge;
extern const std::string_view claim, promote, renew, expire, adopt, trim, list,
  depths;

} // namespace troupe::store::lua
