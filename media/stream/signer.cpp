#include "media/stream/signer.hpp"

#include "media/descriptor.hpp"
#include "media/encoding.hpp"
#include "media/errc.hpp"
#include "media/files/sync.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t signature_bytes = 16;
constexpr std::size_t key_bytes = 32;

std::string digest(const std::string& key, std::string_view id) {
  const auto text = "stream\n" + std::string{id};
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       out.data(), &size);
  return base64url(
    {reinterpret_cast<const char*>(out.data()), signature_bytes});
}

std::string read_key(const fs::path& file) {
  const descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string out(key_bytes, '\0');
  if (!in || ::read(in.get(), out.data(), out.size()) != ssize_t(key_bytes))
    return {};
  return out;
}

result<void> make_key(const fs::path& file) {
  std::array<unsigned char, key_bytes> key{};
  if (RAND_bytes(key.data(), key.size()) != 1)
    return fail(errc::io_error, "no random numbers are to be had");
  const auto fresh = file.string() + ".new";
  ::unlink(fresh.c_str());
  const descriptor out{
    ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!out || ::write(out.get(), key.data(), key.size()) != ssize_t(key_bytes)
      || ::fsync(out.get()) != 0 || ::rename(fresh.c_str(), file.c_str()) != 0)
    return file_failure(file.string());
  return {};
}

} // namespace

std::string stream_signer::sign(std::string_view id) const {
  return digest(keys_.front(), id);
}

bool stream_signer::is_good(std::string_view id,
                            std::string_view signature) const {
  bool good = false;
  for (const auto& key : keys_) {
    const auto due = digest(key, id);
    good |= due.size() == signature.size()
            && CRYPTO_memcmp(due.data(), signature.data(), due.size()) == 0;
  }
  return good;
}

result<std::vector<std::string>>
load_stream_keys(const std::vector<std::string>& hex, const fs::path& file) {
  std::vector<std::string> keys;
  for (const auto& each : hex)
    keys.push_back(bytes_of_hex(each));
  if (!keys.empty())
    return keys;
  auto kept = read_key(file);
  if (kept.empty()) {
    if (auto made = make_key(file); !made)
      return made.error();
    kept = read_key(file);
  }
  if (kept.empty())
    return fail(errc::io_error, file.string());
  return std::vector{std::move(kept)};
}

} // namespace troupe::media
