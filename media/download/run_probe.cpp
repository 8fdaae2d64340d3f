#include "config/log.hpp"
#include "media/download/await_files.hpp"
#include "media/download/run.hpp"
#include "media/download/selector.hpp"
#include "media/probe/source_file.hpp"

#include <utility>

/// What codec children say of the files that a download has fetched.
namespace troupe::media {

namespace asio = boost::asio;

/// ffmpeg's last line does not tell a container that cannot hold the streams
/// from whatever else may go wrong: the streams themselves do.
asio::awaitable<failure_report> download_run::blame(failure_report why) {
  const bool converted =
    why.code == errc::tool_failed
    && why.message.find("Postprocessing") != why.message.npos;
  if (!converted || !changes_container(params_.format))
    co_return why;
  auto files = files_.streams;
  if (!files_.media.empty())
    files.push_back(files_.media);
  for (const auto& file : files) {
    const auto facts = co_await probe(file);
    if (!facts)
      co_return facts.error();
    if (const auto odd = unfit_codec(params_.format, *facts); !odd.empty())
      co_return failure_report{
        errc::bad_container,
        std::string{to_string(params_.format)} + " cannot hold " + odd, 0};
  }
  co_return why;
}

asio::awaitable<step<media_facts>>
download_run::probe(std::filesystem::path file) {
  if (stopping_ != errc::none)
    co_return failure_report{stopping_, "", 0};
  auto open = [&file] {
    return open_media_file(file);
  };
  auto opened = co_await on_file_thread(services_.threads.files(), open);
  child_end end;
  if (opened) {
    auto file_to_read = std::move(*opened);
    end = co_await ask_child(std::move(file_to_read));
  } else {
    end.code = errc::io_error;
    end.message = opened.error().message();
  }
  if (stopping_ != errc::none)
    co_return failure_report{stopping_, "", 0};
  if (end.code != errc::none)
    log::warn("a file's media facts cannot be read",
              {{"job", task_.id},
               {"code", std::string{code_of(end.code)}},
               {"error", end.message}});
  co_return read_media_facts(end.result);
}

/// A crash counts against the file, which other jobs may be told to read, and
/// against its URL, from which it may come again.
asio::awaitable<child_end> download_run::ask_child(descriptor file) {
  const auto stamp = to_string(stamp_of(file));
  auto& bad = services_.bad;
  child_end end;
  if (bad.refused(stamp) > 0 || bad.refused(params_.url) > 0) {
    end.code = errc::poison_source;
    end.message = "it crashed what read it";
    co_return end;
  }
  auto task = probe_task(std::move(file));
  end = co_await child_->run(services_.children, std::move(task),
                             child_rank::batch);
  count(end.usage, used_);
  bad.note(stamp, end.code);
  if (bad.note(params_.url, end.code))
    log::warn("a source crashes who reads it, and is refused for a while",
              {{"job", task_.id}, {"source", params_.url}});
  co_return end;
}

} // namespace troupe::media
