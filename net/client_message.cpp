#include "net/client_message.hpp"

#include "net/json_reader.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>
#include <utility>

namespace troupe::net {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t max_id = 256;
constexpr std::size_t max_topic = 512;
constexpr std::size_t max_filter = 512;
constexpr std::int64_t max_offset = INT64_MAX;

problem not_valid(field_errors& errors) {
  return {problem_code::invalid_params, "some members are not valid",
          errors.take()};
}

/// The id as JSON; empty if there is none.
std::string read_id(object_reader& in) {
  const auto id = in.value("id");
  if (!id)
    return {};
  auto text = std::string{simdjson::minify(*id)};
  const bool scalar = id->is_string() || id->is_number();
  if (scalar && text.size() <= max_id)
    return text;
  in.wrong("id", "must be a number or a short string");
  return {};
}

/// A topic's name alone, or an object that holds it.
void read_topic(dom::element from, const std::string& pointer,
                field_errors& errors, actors::topic_request& out) {
  std::string_view name;
  if (!from.get(name)) {
    if (name.empty() || name.size() > max_topic)
      errors.add(pointer, "is not the name of a topic");
    out.topic = name;
    return;
  }
  dom::object object;
  if (from.get(object)) {
    errors.add(pointer, "must be an object");
    return;
  }
  object_reader in{object, pointer, errors};
  std::int64_t offset = 0;
  if (!in.text("topic", out.topic, max_topic) && out.topic.empty())
    in.require("topic");
  in.text("epoch", out.epoch, max_id);
  in.integer("offset", offset, 0, max_offset);
  out.offset = static_cast<std::uint64_t>(offset);
  in.finish();
}

/// Of a topic that stands twice, the first counts.
void drop_repeated(std::vector<actors::topic_request>& topics) {
  std::unordered_set<std::string> seen;
  std::erase_if(topics, [&seen](const actors::topic_request& each) {
    return !seen.insert(each.topic).second;
  });
}

std::vector<actors::topic_request> read_topics(object_reader& in,
                                               field_errors& errors) {
  std::vector<actors::topic_request> topics;
  const auto list = in.require("topics");
  if (!list)
    return topics;
  dom::array array;
  if (list->get(array) || array.size() == 0
      || array.size() > actors::client_port::max_topics) {
    in.wrong("topics", "must be an array of 1 to 1024 topics");
    return topics;
  }
  topics.resize(array.size());
  std::size_t i = 0;
  for (const auto each : array) {
    read_topic(each, in.pointer("topics") + "/" + std::to_string(i), errors,
               topics[i]);
    ++i;
  }
  drop_repeated(topics);
  return topics;
}

request_message read_request(object_reader& in) {
  constexpr std::array<std::string_view, 4> methods{"submit", "cancel", "get",
                                                    "list"};
  request_message out;
  std::string method;
  if (in.text("method", method, 64)) {
    const auto known = std::ranges::find(methods, method);
    if (known == methods.end())
      in.wrong("method", "must be submit, cancel, get or list");
    else
      out.method =
        static_cast<enum request_message::method>(known - methods.begin());
  } else {
    in.require("method");
  }
  out.params = "{}";
  if (const auto params = in.object("params"))
    out.params = std::string{simdjson::minify(*params)};
  return out;
}

void read_what(object_reader& in, field_errors& errors, client_message& out) {
  std::string op;
  if (!in.text("op", op, 64)) {
    in.require("op");
    return;
  }
  if (op == "subscribe") {
    out.what = subscribe_message{read_topics(in, errors)};
  } else if (op == "unsubscribe") {
    unsubscribe_message left;
    for (auto& topic : read_topics(in, errors))
      left.topics.push_back(std::move(topic.topic));
    out.what = std::move(left);
  } else if (op == "ping") {
    out.what = ping_message{};
  } else if (op == "request") {
    out.what = read_request(in);
  } else {
    in.wrong("op", "must be subscribe, unsubscribe, ping or request");
    return;
  }
  in.finish();
}

/// Parses an object, or says why it is none.
std::optional<problem> parse_object(json_parser& parser, std::string_view text,
                                    dom::object& out) {
  dom::element root;
  if (auto fault = parser.parse(text, root))
    return fault;
  if (root.get(out))
    return problem{problem_code::invalid_params, "must be a JSON object"};
  return std::nullopt;
}

} // namespace

struct client_message_reader::impl {
  json_parser parser;
};

client_message_reader::client_message_reader()
  : impl_{std::make_unique<impl>()} {}

client_message_reader::~client_message_reader() = default;

std::variant<client_message, client_fault>
client_message_reader::read(std::string_view text) {
  dom::object object;
  if (auto fault = parse_object(impl_->parser, text, object))
    return client_fault{{}, std::move(*fault)};
  field_errors errors;
  client_message message;
  object_reader in{object, "", errors};
  message.id = read_id(in);
  read_what(in, errors, message);
  if (errors.empty())
    return message;
  return client_fault{std::move(message.id), not_valid(errors)};
}

std::variant<std::string, problem> read_job_id(std::string_view params) {
  json_parser parser;
  dom::object object;
  if (auto fault = parse_object(parser, params, object))
    return std::move(*fault);
  field_errors errors;
  object_reader in{object, "/params", errors};
  std::string id;
  if (!in.text("id", id, 64) && errors.empty())
    in.require("id");
  in.finish();
  if (!errors.empty())
    return not_valid(errors);
  return id;
}

std::variant<store::list_query, problem>
read_list_query(std::string_view params) {
  json_parser parser;
  dom::object object;
  if (auto fault = parse_object(parser, params, object))
    return std::move(*fault);
  field_errors errors;
  object_reader in{object, "/params", errors};
  store::list_query query;
  std::string state;
  if (in.text("state", state, 64)) {
    query.state.emplace();
    if (!store::from_string(state, *query.state))
      in.wrong("state", "is no state of a job");
  }
  in.text("type", query.type, max_filter);
  in.text("queue", query.queue, max_filter);
  in.text("tag", query.tag, max_filter);
  in.text("batch", query.batch, max_filter);
  if (const auto token = in.value("page_token"); token && token->is_string())
    query.page_token = std::string_view{*token};
  else if (token)
    in.wrong("page_token", "must be a string");
  std::int64_t size = query.page_size;
  in.integer("page_size", size, INT64_MIN, INT64_MAX);
  query.page_size =
    static_cast<std::uint32_t>(std::clamp<std::int64_t>(size, 1, 1000));
  in.finish();
  if (!errors.empty())
    return not_valid(errors);
  return query;
}

} // namespace troupe::net
