#include "media/image_batch/seat.hpp"

#include "media/image_batch/files.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;

constexpr std::string_view job_source = "job:";
constexpr std::chrono::seconds image_limit{60};
constexpr std::chrono::minutes video_limit{15};

std::string text_of(errc code, const std::string& message) {
  return std::string{code_of(code)} + ": " + message;
}

std::shared_ptr<const std::string> shared(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

} // namespace

batch_seat::batch_seat(const image_batch_services& services,
                       std::shared_ptr<const batch_params> params,
                       std::filesystem::path folder,
                       std::shared_ptr<file_gate> gate, ask_result result_of)
  : services_(services), params_(std::move(params)), folder_(std::move(folder)),
    gate_(std::move(gate)), result_of_(std::move(result_of)) {}

template <class Call>
void batch_seat::on_io(Call call) {
  asio::post(services_.threads.io(),
             [self = shared_from_this(), call = std::move(call)]() mutable {
               if (self->heard_)
                 call(*self);
             });
}

void batch_seat::quit() {
  heard_ = nullptr;
  child_.reset();
  text_child_.reset();
}

void batch_seat::make(std::string source, std::vector<std::string> names,
                      item_heard heard) {
  heard_ = std::move(heard);
  source_ = std::move(source);
  names_ = std::move(names);
  input_.reset();
  works_.clear();
  of_.clear();
  files_.clear();
  error_.clear();
  job_result_.clear();
  is_video_ = again_ = false;
  if (source_.starts_with(job_source))
    return ask_job(source_.substr(job_source.size()));
  look(0);
}

void batch_seat::ask_job(const std::string& id) {
  if (!result_of_) {
    error_ = text_of(errc::source_unavailable, "no job can be asked for");
    return write();
  }
  result_of_(id, [self = shared_from_this()](result<std::string> told) {
    self->on_io([told = std::move(told)](batch_seat& me) mutable {
      if (!told) {
        me.error_ = told.error().message();
        return me.write();
      }
      me.job_result_ = std::move(*told);
      me.look(0);
    });
  });
}

// -- what is there ------------------------------------------------------------

void batch_seat::look(std::size_t operation) {
  if (operation == params_->operations.size())
    return works_.empty() ? write() : run();
  image_query query;
  query.options = params_->operations[operation].options;
  query.source = source_;
  query.input = input_;
  query.hurry = false;
  query.job_result = job_result_;
  services_.images.find(
    std::move(query),
    [self = shared_from_this(), operation](result<image_found> what) {
      self->on_io([operation, what = std::move(what)](batch_seat& me) {
        me.found(operation, what);
      });
    });
}

void batch_seat::found(std::size_t operation, const result<image_found>& what) {
  if (!what) {
    error_ = what.error().message();
    return write();
  }
  if (what->work && what->work->input->look.format == image_format::none) {
    works_ = {what->work};
    is_video_ = true;
    return run();
  }
  if (params_->operations[operation].video) {
    error_ = text_of(errc::invalid_media, "it is no video");
  } else if (what->image) {
    add(params_->first_image(operation),
        static_cast<image_format>(what->image->note.kind),
        {what->image, &what->image->bytes});
  } else {
    input_ = what->work->input;
    works_.push_back(what->work);
    of_.push_back(operation);
  }
  look(operation + 1);
}

// -- what has to be made ------------------------------------------------------

void batch_seat::run() {
  if (is_video_)
    return run_video();
  const bool text = std::ranges::any_of(
    works_, [](const work_ptr& each) { return each->sets_text; });
  start(text ? text_child_ : child_, text,
        services_.images.compose(works_, image_limit));
}

void batch_seat::run_video() {
  std::vector<video_wish> wishes;
  for (const auto& each : params_->operations) {
    wishes.push_back(each.video.value_or(video_wish{}));
    wishes.back().options = each.options;
  }
  start(child_, false,
        services_.images.compose_video(*works_.front()->input, wishes,
                                       video_limit));
}

void batch_seat::start(std::unique_ptr<codec_child>& child, bool sets_text,
                       child_task task) {
  if (!child)
    child = services_.images.open_child(true, sets_text);
  child_listener listener;
  listener.on_end = [self = shared_from_this()](child_end end) {
    if (self->heard_)
      self->ended(end);
  };
  child->run(std::move(task), std::move(listener));
}

void batch_seat::ended(child_end& end) {
  const bool refused =
    end.code == errc::crashed && services_.images.crashed(*works_.front());
  if (died(end.code) && !refused && !std::exchange(again_, true))
    return run();
  if (end.code != errc::none)
    error_ = text_of(end.code, end.message);
  else if (is_video_)
    take_video(end.result);
  else
    take_images(end.result);
  write();
}

void batch_seat::take_images(const std::string& bytes) {
  auto made = read_image_result(bytes);
  if (!made || made->outputs.size() != works_.size()) {
    error_ = "the codec child's result cannot be read";
    return;
  }
  for (std::size_t i = 0; i < works_.size(); ++i) {
    auto& each = made->outputs[i];
    if (each.code != errc::none)
      error_ = text_of(each.code, each.message);
    else
      add(params_->first_image(of_[i]), each.format,
          shared(std::move(each.bytes)));
  }
}

void batch_seat::take_video(const std::string& bytes) {
  auto made = read_video_result(bytes);
  if (!made || made->made.size() != params_->operations.size()) {
    error_ = "the codec child's result cannot be read";
    return;
  }
  for (std::size_t i = 0; i < made->made.size(); ++i)
    take_shown(i, made->made[i], made->duration_s);
}

void batch_seat::take_shown(std::size_t operation, video_made& made,
                            double duration_s) {
  if (made.code != errc::none) {
    error_ = text_of(made.code, made.message);
    return;
  }
  const auto first = params_->first_image(operation);
  const auto most = params_->operations[operation].images();
  for (std::size_t i = 0; i < std::min(made.images.size(), most); ++i)
    add(first + i, made.images[i].format,
        shared(std::move(made.images[i].bytes)));
  if (made.columns == 0)
    return;
  const auto sheet = files_.back().path;
  auto index = sheet;
  index.replace_extension(".vtt");
  files_.push_back(
    {std::move(index),
     shared(webvtt_of(made, duration_s, sheet.filename().string()))});
}

// -- what is written ----------------------------------------------------------

void batch_seat::add(std::size_t image, image_format format,
                     std::shared_ptr<const std::string> bytes) {
  files_.push_back(
    {folder_ / (names_[image] + '.' + std::string{name_of(format)}),
     std::move(bytes)});
}

void batch_seat::write() {
  asio::post(services_.threads.files(), [self = shared_from_this(),
                                         folder = folder_, gate = gate_,
                                         files = std::move(files_)] {
    const auto open = gate->enter();
    if (!open)
      return;
    result<batch_item> item{batch_item{}};
    for (const auto& each : files) {
      const auto done = write_whole(each.path, *each.bytes);
      if (!done) {
        item = done.error();
        break;
      }
      item->files.push_back(each.path.lexically_relative(folder).string());
    }
    self->on_io([item = std::move(item)](batch_seat& me) mutable {
      if (item)
        item->error = std::move(me.error_);
      std::exchange(me.heard_, nullptr)(std::move(item));
    });
  });
}

} // namespace troupe::media
