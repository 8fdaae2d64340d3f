#include "media/files/digest.hpp"

#include "media/descriptor.hpp"
#include "media/files/sync.hpp"

#include <openssl/evp.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

namespace troupe::media {

namespace {

struct free_context {
  void operator()(EVP_MD_CTX* context) const noexcept {
    EVP_MD_CTX_free(context);
  }
};

/// A running SHA-256. OpenSSL fails here only without memory.
class sha256_state {
public:
  sha256_state() : context_(EVP_MD_CTX_new()) {
    if (!context_ || !EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr))
      throw std::runtime_error("SHA-256 is not available");
  }

  void add(const void* bytes, std::size_t size) {
    if (!EVP_DigestUpdate(context_.get(), bytes, size))
      throw std::runtime_error("SHA-256 failed");
  }

  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (!EVP_DigestFinal_ex(context_.get(), digest.data(), &size))
      throw std::runtime_error("SHA-256 failed");
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned at = 0; at < size; ++at) {
      text += digits[digest[at] >> 4];
      text += digits[digest[at] & 15];
    }
    return text;
  }

private:
  std::unique_ptr<EVP_MD_CTX, free_context> context_;
};

} // namespace

result<file_digest> digest_of(const std::filesystem::path& file) {
  const descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!in)
    return file_failure(file);
  return digest_of_open(in.get(), file);
}

result<file_digest> digest_of_open(int fd, const std::filesystem::path& name) {
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  sha256_state state;
  file_digest digest;
  std::vector<char> block(1u << 20);
  for (;;) {
    const auto count = ::read(fd, block.data(), block.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return file_failure(name);
    if (count == 0)
      break;
    state.add(block.data(), static_cast<std::size_t>(count));
    digest.size += count;
  }
  digest.sha256 = state.hex();
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  sha256_state state;
  state.add(bytes.data(), bytes.size());
  return state.hex();
}

} // namespace troupe::media
