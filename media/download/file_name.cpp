#include "media/download/file_name.hpp"

#include "media/errc.hpp"
#include "media/files/names.hpp"

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::media {

namespace {

struct field_entry {
  std::string_view name;
  std::string name_fields::*value;
};

constexpr std::array fields_known{
  field_entry{"title", &name_fields::title},
  field_entry{"id", &name_fields::id},
  field_entry{"uploader", &name_fields::uploader},
  field_entry{"channel", &name_fields::channel},
  field_entry{"upload_date", &name_fields::upload_date},
  field_entry{"extractor", &name_fields::extractor},
  field_entry{"host", &name_fields::host},
  field_entry{"height", &name_fields::height},
  field_entry{"width", &name_fields::width},
  field_entry{"ext", &name_fields::ext},
};

/// Leaves room for ` (12)`, an extension and a side file's own ending.
constexpr std::size_t max_segment = 180;

const field_entry* find_field(std::string_view name) {
  for (const auto& entry : fields_known)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

std::vector<std::string_view> segments_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto slash = text.find('/');
    parts.push_back(text.substr(0, slash));
    if (slash == text.npos)
      return parts;
    text.remove_prefix(slash + 1);
  }
}

/// One step through a segment: plain text, or a field. False at a bad brace.
struct token {
  std::string_view text;
  const field_entry* field = nullptr;
};

std::optional<std::vector<token>> tokens_of(std::string_view segment) {
  std::vector<token> tokens;
  while (!segment.empty()) {
    const auto open = segment.find_first_of("{}");
    if (open != 0)
      tokens.push_back({segment.substr(0, open)});
    if (open == segment.npos)
      break;
    const auto close = segment.find('}', open);
    if (segment[open] == '}' || close == segment.npos)
      return std::nullopt;
    const auto name = segment.substr(open + 1, close - open - 1);
    const auto* field = find_field(name);
    if (!field)
      return std::nullopt;
    tokens.push_back({name, field});
    segment.remove_prefix(close + 1);
  }
  return tokens;
}

std::string joined(const std::vector<token>& tokens,
                   const name_fields& fields) {
  std::string text;
  for (const auto& token : tokens)
    text += token.field ? fields.*token.field->value : std::string{token.text};
  return text;
}

std::string segment_of(std::string_view segment, name_fields fields) {
  const auto tokens = tokens_of(segment);
  if (!tokens)
    return "file";
  auto text = joined(*tokens, fields);
  if (text.size() > max_segment && segment.find("{title}") != segment.npos) {
    const auto over = text.size() - max_segment;
    const auto keep = fields.title.size() > over + 8
                        ? fields.title.size() - over
                        : std::size_t{8};
    fields.title = safe_segment(fields.title, "untitled", keep);
    text = joined(*tokens, fields);
  }
  return safe_segment(text, "file", max_segment);
}

std::string_view without_ext(std::string_view text) {
  constexpr std::string_view ending = ".{ext}";
  if (text.ends_with(ending))
    text.remove_suffix(ending.size());
  return text;
}

} // namespace

result<void> check_file_template(std::string_view text) {
  const auto refuse = [](std::string why) {
    return fail(errc::bad_params, "filename: " + std::move(why));
  };
  if (text.empty() || text.size() > 500)
    return refuse("empty or too long");
  const auto segments = segments_of(without_ext(text));
  if (segments.size() > 8)
    return refuse("more than eight folders");
  for (const auto segment : segments) {
    if (segment.empty() || segment == "." || segment == "..")
      return refuse("leaves the library");
    if (!tokens_of(segment))
      return refuse("an unknown field or a stray brace");
  }
  return {};
}

std::string file_stem(std::string_view text, const name_fields& fields) {
  std::string stem;
  for (const auto segment : segments_of(without_ext(text))) {
    if (!stem.empty())
      stem += '/';
    stem += segment_of(segment, fields);
  }
  return stem;
}

} // namespace troupe::media
