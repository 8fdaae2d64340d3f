#include "media/errc.hpp"
#include "media/image/option_words.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

using namespace image_arguments;

constexpr std::size_t longest_text = 8'192;

const option_word* word_named(std::string_view name) {
  const auto words = option_words();
  const auto at = std::ranges::find_if(words, [&](const option_word& word) {
    return word.name == name || word.brief == name;
  });
  return at == words.end() ? nullptr : &*at;
}

failure refuse(std::string_view option, std::string_view why) {
  return fail(errc::bad_params,
              std::string{option.substr(0, 100)} + ": " + std::string{why});
}

/// Reads lists of options into one. Invariant: `open_` are the presets that
/// are being read, the outermost first.
class reading {
public:
  explicit reading(const option_rules& rules) : rules_(rules) {}

  result<void> read_list(std::string_view text) {
    for (const auto part : split(text, '/')) {
      if (part.empty())
        continue;
      if (auto read = read_one(part); !read)
        return read.error();
    }
    return {};
  }

  result<void> read_presets(arguments names) {
    for (const auto name : names)
      if (auto read = read_preset(name); !read)
        return read.error();
    return {};
  }

  image_options options;

private:
  result<void> read_one(std::string_view part) {
    const auto pieces = split(part, ':');
    const auto name = pieces.front();
    const auto given = arguments{pieces}.subspan(1);
    if (name == "preset" || name == "pr")
      return read_presets(given);
    const auto* word = word_named(name);
    if (!word)
      return refuse(name, is_paid_option(name) ? "an option of the paid version"
                                               : "no such option");
    if (given.empty() || given.size() > word->most
        || !word->read(options, given))
      return refuse(name, "makes no sense in " + std::string{part});
    if ((name == "wm" || name == "watermark") && options.watermark
        && !rules_.has_watermark)
      return refuse(name, "no watermark is configured");
    return {};
  }

  /// One that is being read already is passed over.
  result<void> read_preset(std::string_view name) {
    const auto at = rules_.presets.find(name);
    if (at == rules_.presets.end())
      return refuse("preset", "there is none named " + std::string{name});
    if (std::ranges::find(open_, name) != open_.end())
      return {};
    open_.push_back(name);
    auto read = read_list(at->second);
    open_.pop_back();
    return read;
  }

  const option_rules& rules_;
  std::vector<std::string_view> open_;
};

} // namespace

result<image_options> parse_options(std::string_view text,
                                    const option_rules& rules) {
  if (text.size() > longest_text)
    return refuse("options", "too long");
  reading read{rules};
  if (rules.presets.contains("default"))
    if (auto some = read.read_presets(std::array{std::string_view{"default"}});
        !some)
      return some.error();
  const auto some = rules.presets_only && !text.empty()
                      ? read.read_presets(split(text, ':'))
                      : read.read_list(text);
  if (!some)
    return some.error();
  return std::move(read.options);
}

} // namespace troupe::media
