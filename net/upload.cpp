#include "net/upload.hpp"

#include "media/errc.hpp"
#include "media/imaging/upload_file.hpp"
#include "net/edge.hpp"

#include <boost/asio/co_spawn.hpp>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using file_ptr = std::shared_ptr<media::upload_file>;
using input_ptr = std::shared_ptr<const media::image_input>;

// These run on a thread that may block.

asio::awaitable<result<file_ptr>>
open_file(const config::image_settings& settings, std::uint64_t expected) {
  auto opened = media::upload_file::open(settings.upload_dir, expected,
                                         settings.upload_free_bytes);
  if (!opened)
    co_return opened.error();
  co_return std::make_shared<media::upload_file>(std::move(*opened));
}

asio::awaitable<result<void>> add_to(file_ptr file, std::string bytes) {
  co_return file->add(bytes);
}

asio::awaitable<result<input_ptr>> end_of(file_ptr file) {
  co_return file->finish();
}

problem refusal_of(const failure& why) {
  problem out{problem_code::internal, "the image cannot be taken"};
  if (why.code != media::errc::disk_full)
    return out;
  out = {problem_code::disk_full, "there is no room on disk for the image"};
  out.retry_after_s = 30;
  return out;
}

problem too_large(std::uint64_t most) {
  return {problem_code::body_too_large,
          "an image may have at most " + std::to_string(most) + " bytes"};
}

} // namespace

std::optional<problem> upload_book::add(const std::string& client,
                                        std::uint64_t bytes,
                                        std::uint64_t most_of_all,
                                        std::uint64_t most_of_one) {
  const auto known = of_.find(client);
  const auto own = known == of_.end() ? 0 : known->second;
  problem out;
  out.retry_after_s = 1;
  if (own + bytes > most_of_one) {
    out.code = problem_code::rate_limited;
    out.detail = "one client may send images of " + std::to_string(most_of_one)
                 + " bytes at once";
    return out;
  }
  if (all_ + bytes > most_of_all) {
    out.code = problem_code::queue_full;
    out.detail = "too many images are being sent";
    return out;
  }
  all_ += bytes;
  if (bytes > 0)
    of_[client] += bytes;
  return std::nullopt;
}

void upload_book::remove(const std::string& client, std::uint64_t bytes) {
  if (bytes == 0)
    return;
  all_ -= bytes;
  const auto known = of_.find(client);
  known->second -= bytes;
  if (known->second == 0)
    of_.erase(known);
}

upload::upload(edge& at, std::string client)
  : at_{at}, client_{std::move(client)} {}

upload::~upload() {
  at_.uploads.remove(client_, counted_);
}

std::optional<problem> upload::count(std::uint64_t bytes) {
  const auto& settings = at_.images->settings;
  if (bytes > settings.max_bytes)
    return too_large(settings.max_bytes);
  if (bytes <= counted_)
    return std::nullopt;
  auto fault = at_.uploads.add(client_, bytes - counted_, settings.upload_bytes,
                               settings.client_upload_bytes);
  if (!fault)
    counted_ = bytes;
  return fault;
}

asio::awaitable<std::optional<problem>>
upload::begin(std::optional<std::uint64_t> length) {
  if (!at_.images)
    co_return problem{problem_code::not_found, "this server makes no images"};
  const auto expected = length.value_or(0);
  if (auto fault = count(expected))
    co_return fault;
  auto opening = open_file(at_.images->settings, expected);
  auto opened =
    co_await asio::co_spawn(at_.files, std::move(opening), asio::use_awaitable);
  if (!opened)
    co_return refusal_of(opened.error());
  file_ = std::move(*opened);
  co_return std::nullopt;
}

asio::awaitable<std::optional<problem>> upload::take(std::string bytes) {
  size_ += bytes.size();
  if (auto fault = count(size_))
    co_return fault;
  auto adding = add_to(file_, std::move(bytes));
  const auto done =
    co_await asio::co_spawn(at_.files, std::move(adding), asio::use_awaitable);
  if (!done)
    co_return refusal_of(done.error());
  co_return std::nullopt;
}

asio::awaitable<result<input_ptr>> upload::finish() {
  auto ending = end_of(file_);
  co_return co_await asio::co_spawn(at_.files, std::move(ending),
                                    asio::use_awaitable);
}

} // namespace troupe::net
