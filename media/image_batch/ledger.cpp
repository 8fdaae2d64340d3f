#include "media/image_batch/ledger.hpp"

#include "media/download/json_read.hpp"
#include "media/plain_json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace troupe::media {

namespace {

constexpr std::size_t most_errors = 100;

bool is_image(const json::value& file) {
  const auto* name = file.if_string();
  return name && !std::string_view{*name}.ends_with(".vtt");
}

} // namespace

std::string line_of(const std::string& source,
                    const std::vector<std::string>& files,
                    const std::string& error) {
  json::object line{{"source", source}};
  if (!files.empty())
    line["files"] = json::array(files.begin(), files.end());
  if (!error.empty())
    line["error"] = error;
  return json::serialize(line) + '\n';
}

batch_ledger::batch_ledger(std::size_t sources, std::vector<std::string> known)
  : lines_(sources) {
  for (auto& line : known)
    if (done_ < lines_.size())
      settle(done_, std::move(line));
  taken_ = done_;
}

void batch_ledger::settle(std::size_t source, std::string line) {
  failed_ += line.find("\"error\":") != line.npos;
  lines_[source] = std::move(line);
  while (done_ < lines_.size() && !lines_[done_].empty())
    ++done_;
  ++settled_;
}

progress batch_ledger::now() const {
  progress out;
  out.stage = "images";
  out.unit = "sources";
  out.done = static_cast<std::int64_t>(settled_);
  out.total = static_cast<std::int64_t>(lines_.size());
  out.fraction = lines_.empty() ? 1
                                : static_cast<double>(settled_)
                                    / static_cast<double>(lines_.size());
  if (failed_ > 0)
    out.message = std::to_string(failed_) + " failed";
  return out;
}

std::string batch_ledger::take_fresh() {
  std::string out;
  for (; taken_ < done_; ++taken_)
    out += lines_[taken_];
  return out;
}

std::string batch_ledger::text() const {
  return std::accumulate(lines_.begin(), lines_.end(), std::string{});
}

std::string batch_ledger::result_of(const std::string& folder,
                                    const staged_file& index) const {
  json::array errors;
  std::ptrdiff_t images = 0;
  for (const auto& line : lines_) {
    auto read = parse_object(line);
    if (!read)
      continue;
    if (const auto* files = array_of(*read, "files"))
      images += std::ranges::count_if(*files, is_image);
    if (read->contains("error") && errors.size() < most_errors)
      errors.emplace_back(std::move(*read));
  }
  return plain_json(json::object{{"folder", folder},
                                 {"path", index.final_path},
                                 {"size", index.size},
                                 {"sha256", index.sha256},
                                 {"sources", lines_.size()},
                                 {"images", images},
                                 {"failed", failed_},
                                 {"errors", std::move(errors)}});
}

} // namespace troupe::media
