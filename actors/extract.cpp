#include "actors/extract.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::actors {

void extract_state::start(extract_options options) {
  options_ = std::move(options);
}

void extract_state::look(extract_request& request) {
  if (waiting_.size() >= options_.max_waiting)
    return request.reply(fail(errc::overloaded));
  const auto number = ++number_;
  waiting_.emplace(number, std::move(request.reply));
  self_->delayed_send(self_, options_.limit,
                      extract_over{number, fail(errc::deadline)});
  options_.look(
    std::move(request.url), [number, self = caf::actor_cast<extract_impl>(
                                       self_)](result<std::string> outcome) {
      caf::anon_send(self, extract_over{number, std::move(outcome)});
    });
}

void extract_state::end(extract_over& over) {
  auto waiting = waiting_.extract(over.number);
  if (waiting.empty())
    return;
  if (over.outcome)
    waiting.mapped()(extract_reply{std::move(*over.outcome)});
  else
    waiting.mapped()(over.outcome.error());
}

extract_impl::behavior_type extract(extract_state::self_ptr self,
                                    extract_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](extract_request& x) { state.look(x); },
    [&state](extract_over& x) { state.end(x); },
  };
}

} // namespace troupe::actors
