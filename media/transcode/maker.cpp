#include "media/transcode/maker.hpp"

#include "media/stream/service.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace troupe::media {

namespace {

namespace asio = boost::asio;

/// Nobody waits: the slowest encoders give a frame in less than that.
constexpr std::chrono::minutes piece_stall{2};
constexpr std::chrono::minutes piece_life{60};
/// Children that one piece may cost.
constexpr unsigned most_tries = 2;
/// Of a piece whose frames are all told of: it is not in the pack yet.
constexpr double most_of_a_piece = 0.95;

work_board board_of(const transcode_plan& plan, const pack_file& pack) {
  std::vector<std::uint32_t> groups;
  for (const auto& each : plan.pieces)
    groups.push_back(each.track);
  work_board board{std::move(groups)};
  for (std::size_t i = 0; i < plan.pieces.size(); ++i) {
    const auto& each = plan.pieces[i];
    if (pack.has(each.part, each.track, each.number))
      board.skip(i);
  }
  return board;
}

std::string where_of(const transcode_piece& piece) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", piece.line->begin_s(piece.number));
  return text;
}

/// What the index names a key in was there once: nothing stands in for it.
/// Beyond its keys a film of pictures has ended, and its sound goes on.
bool cut_off(const transcode_piece& piece, const av_result& made) {
  const auto order = piece.order();
  const auto& keys = piece.line->index->keys;
  return made.missing && !order.last && !keys.empty()
         && keys.back() >= order.start;
}

} // namespace

piece_maker::piece_maker(const transcode_services& services,
                         std::shared_ptr<const transcode_plan> plan,
                         std::shared_ptr<pack_file> pack,
                         maker_listener listener)
  : services_(services), plan_(std::move(plan)), pack_(std::move(pack)),
    listener_(std::move(listener)), board_(board_of(*plan_, *pack_)) {
  for (std::uint8_t track = 0; track < plan_->tracks().size(); ++track)
    inits_.push_back(pack_->init(track));
}

template <class Call>
void piece_maker::on_io(Call call) {
  asio::post(services_.threads.io(),
             [self = shared_from_this(), call = std::move(call)]() mutable {
               if (self->listener_.on_end)
                 call(*self);
             });
}

void piece_maker::start() {
  seats_.resize(std::max(services_.children_of_a_job, 1u));
  for (std::size_t at = 0; at < seats_.size(); ++at)
    on_io([at](piece_maker& me) { me.advance(at); });
}

void piece_maker::quit() {
  listener_ = {};
  for (auto& each : seats_)
    each.child.reset();
}

void piece_maker::conclude(result<void> how) {
  const auto heard = std::exchange(listener_, {});
  quit();
  if (heard.on_end)
    heard.on_end(std::move(how));
}

void piece_maker::advance(std::size_t at) {
  auto& seat = seats_[at];
  const auto next = board_.take(seat.piece);
  seat.idle = !next;
  if (next) {
    seat.piece = next;
    seat.tries = 0;
    return look(at);
  }
  seat.child.reset();
  if (std::ranges::all_of(seats_, [](const auto& each) { return each.idle; }))
    conclude({});
}

/// What somebody has watched is there.
void piece_maker::look(std::size_t at) {
  const auto& piece = plan_->pieces[*seats_[at].piece];
  if (piece.part != pack_part::segment)
    return make(at);
  services_.streams.look_up(
    piece.line->segment_key(piece.number),
    [self = shared_from_this(), at, line = piece.line](cached_ptr media) {
      if (!media)
        return self->on_io([at](piece_maker& me) { me.make(at); });
      self->services_.streams.look_up(
        line->init_key(), [self, at, media](cached_ptr init) {
          self->on_io([at, media, init](piece_maker& me) {
            if (init)
              me.store(at, init->bytes, media->bytes, false);
            else
              me.make(at);
          });
        });
    });
}

void piece_maker::make(std::size_t at) {
  auto& seat = seats_[at];
  const auto& piece = plan_->pieces[*seat.piece];
  if (!seat.child)
    seat.child = services_.streams.open_child(child_rank::batch);
  auto task =
    services_.streams.compose(*piece.line->source, piece.order(), piece_stall);
  task.stall = piece_stall;
  task.life = task.cpu = piece_life;
  child_listener listener;
  listener.on_progress = [self = shared_from_this(),
                          at](const child_progress& now, const frame_credit&) {
    if (self->listener_.on_end)
      self->hear_frames(at, now);
  };
  listener.on_end = [self = shared_from_this(), at](child_end end) {
    if (self->listener_.on_end)
      self->ended(at, end);
  };
  seat.child->run(std::move(task), std::move(listener));
}

/// What has no total counts frames; what has one, bytes of the source. A child
/// in the place of one that died tells nothing new until it has come as far.
void piece_maker::hear_frames(std::size_t at, const child_progress& now) {
  const auto& piece = plan_->pieces[*seats_[at].piece];
  const auto& line = *piece.line;
  const auto frames =
    (line.begin_s(piece.number + 1) - line.begin_s(piece.number))
    * line.track.frame_rate;
  if (now.total > 0 || line.kind != av_kind::video || frames <= 0)
    return;
  const auto done =
    piece.work
    * std::min(static_cast<double>(now.done) / frames, most_of_a_piece);
  seats_[at].partial = std::max(seats_[at].partial, done);
  listener_.on_partial(partial());
}

double piece_maker::partial() const {
  double all = 0;
  for (const auto& each : seats_)
    all += each.partial;
  return all;
}

void piece_maker::ended(std::size_t at, child_end& end) {
  used_.cpu_ms += static_cast<std::uint64_t>(end.usage.cpu_s * 1000);
  used_.peak_memory = std::max(used_.peak_memory, end.usage.max_memory);
  const auto& piece = plan_->pieces[*seats_[at].piece];
  if (end.code == errc::none) {
    auto made = read_av_result(end.result);
    if (!made)
      return conclude(made.error());
    if (cut_off(piece, *made))
      return conclude(
        fail(errc::invalid_media, "it is cut off before " + where_of(piece)));
    return store(at, std::move(made->init), std::move(made->media), true);
  }
  services_.streams.renew(*piece.line->source);
  if (try_again(at, end.code))
    return make(at);
  conclude(fail(end.code, std::string{class_of(*piece.line)} + " from "
                            + where_of(piece) + ": " + end.message));
}

bool piece_maker::try_again(std::size_t at, errc code) {
  const auto& piece = plan_->pieces[*seats_[at].piece];
  if (code == errc::crashed && services_.streams.crashed(*piece.line->source))
    return false;
  return (died(code) || code == errc::timeout)
         && ++seats_[at].tries < most_tries;
}

/// True if it is that of all others of the track, or the first.
bool piece_maker::fits(std::uint8_t track, const std::string& init) {
  if (inits_[track].empty())
    inits_[track] = init;
  return inits_[track] == init;
}

void piece_maker::store(std::size_t at, std::string init, std::string media,
                        bool made) {
  const auto& piece = plan_->pieces[*seats_[at].piece];
  if (!fits(piece.track, init))
    return conclude(
      fail(errc::invalid_media,
           "its pictures change in a way that one file cannot hold"));
  asio::post(services_.threads.files(), [self = shared_from_this(), at, made,
                                         &piece, init = std::move(init),
                                         media = std::move(media)] {
    auto done = self->pack_->add(pack_part::init, piece.track, 0, init);
    if (done)
      done = self->pack_->add(piece.part, piece.track, piece.number, media);
    self->on_io([at, made, done](piece_maker& me) {
      if (!done)
        return me.conclude(done.error());
      me.settle(at, made);
    });
  });
}

void piece_maker::settle(std::size_t at, bool made) {
  auto& seat = seats_[at];
  seat.partial = 0;
  listener_.on_piece(plan_->pieces[*seat.piece], made, partial());
  advance(at);
}

} // namespace troupe::media
