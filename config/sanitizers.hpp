#pragma once

/// A sanitizer maps terabytes, reads /proc and calls what no codec would.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TROUPE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TROUPE_SANITIZED 1
#endif
#endif
#ifndef TROUPE_SANITIZED
#define TROUPE_SANITIZED 0
#endif

namespace troupe {

inline constexpr bool is_sanitized = TROUPE_SANITIZED != 0;

} // namespace troupe
