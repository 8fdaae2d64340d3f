#pragma once

#include "config/settings.hpp"
#include "media/image/options.hpp"
#include "media/imaging/service.hpp"
#include "media/imaging/signature.hpp"
#include "net/http.hpp"
#include "net/problem.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// Requests for images, as values.
namespace troupe::net {

/// How images are asked for here.
struct image_site {
  explicit image_site(const config::image_settings& from);

  config::image_settings settings;
  media::url_signer signer;
  media::option_rules rules;
};

/// An image that is asked for, and how it is to be answered.
struct wanted_image {
  media::image_query query;
  std::string vary;     ///< names of the fields that were read
  double max_age_s = 0; ///< for clients
  /// What Content-Disposition says, as far as the URL asks for one.
  std::string filename;    ///< without ending
  bool attachment = false; ///< to be downloaded
};

/// Reads an image URL: signature, options, source, expiry, and what fields of
/// the request have a say.
/// @param now Unix time, seconds
[[nodiscard]] std::variant<wanted_image, problem>
read_image_request(const image_site& site, const request& req,
                   std::int64_t now);

/// Reads `POST /v1/images?options=…`; the source is to be set.
[[nodiscard]] std::variant<wanted_image, problem>
read_image_upload(const image_site& site, const request& req);

/// Whether this is an AVIF that takes long to make: of more pixels than
/// `images.stand_in_pixels`, or nobody can say of how many.
[[nodiscard]] bool is_slow(const config::image_settings& settings,
                           const media::image_options& options);

/// Reads the body of `POST /v1/images/purge`.
[[nodiscard]] std::variant<media::purge_order, problem>
read_purge(std::string_view body);

} // namespace troupe::net
