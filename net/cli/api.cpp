#include "net/cli/api.hpp"

#include "media/plain_json.hpp"

#include <boost/json.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>

namespace troupe::cli {

namespace {

namespace json = boost::json;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// The address that a server on the default data folder has left there.
std::string local_server() {
  auto dir = variable("TROUPE_DATA_DIR");
  if (dir.empty() && !variable("XDG_DATA_HOME").empty())
    dir = variable("XDG_DATA_HOME") + "/troupe";
  if (dir.empty())
    dir = variable("HOME") + "/.local/share/troupe";
  std::ifstream in{dir + "/address"};
  std::string url;
  return std::getline(in, url) ? url : "http://127.0.0.1:8080";
}

std::string described(const json::value& problem) {
  auto text = text_of(problem, "detail");
  if (text.empty())
    text = text_of(problem, "title");
  text += " (" + text_of(problem, "code") + ")";
  if (const auto* errors = member_of(problem, "errors").if_array())
    for (const auto& one : *errors)
      text += "\n  " + text_of(one, "pointer") + ": " + text_of(one, "detail");
  return text;
}

} // namespace

outcome<server_address> find_server(const client_options& to) {
  auto url = to.server.empty() ? variable("TROUPE_SERVER") : to.server;
  auto found = parse_server(url.empty() ? local_server() : url);
  if (!found) {
    complain(found.error().detail);
    return stop{exit_usage};
  }
  found->token = to.token.empty() ? variable("TROUPE_TOKEN") : to.token;
  return *found;
}

outcome<json::value> ask(const server_address& at, std::string_view method,
                         const std::string& target, const std::string& body) {
  auto got = call(at, method, target, body);
  if (!got) {
    complain("no server at " + at.authority() + ": "
             + got.error().code.message());
    return stop{exit_no_server};
  }
  json::error_code wrong;
  auto value = json::parse(got->body.empty() ? "null" : got->body, wrong);
  if (got->status / 100 == 2 && !wrong)
    return value;
  if (wrong || !value.is_object())
    complain("the server answered " + std::to_string(got->status));
  else
    complain(described(value));
  return stop{got->status / 100 == 4 ? exit_usage : exit_no_server};
}

outcome<json::array> ask_pages(const server_address& at,
                               const std::string& target,
                               std::string_view member) {
  json::array all;
  std::string token;
  do {
    auto where = target + "?page_size=1000";
    if (!token.empty())
      where += "&page_token=" + percent_encoded(token);
    auto page = ask(at, "GET", where);
    if (!page)
      return page.error();
    if (const auto* some = member_of(*page, member).if_array())
      all.insert(all.end(), some->begin(), some->end());
    token = text_of(*page, "next_page_token");
  } while (!token.empty());
  return all;
}

std::string percent_encoded(std::string_view text) {
  const char* const digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

void complain(std::string_view message) {
  std::cerr << "troupe: " << message << '\n';
}

void print_json(const json::value& value) {
  std::cout << media::plain_json(value) << std::endl;
}

std::string text_of(const json::value& object, std::string_view member) {
  const auto* text = member_of(object, member).if_string();
  return text ? std::string{text->data(), text->size()} : std::string{};
}

double number_of(const json::value& object, std::string_view member,
                 double otherwise) {
  json::error_code wrong;
  const auto number = member_of(object, member).to_number<double>(wrong);
  return wrong ? otherwise : number;
}

const json::value& member_of(const json::value& object,
                             std::string_view member) {
  static const json::value none;
  const auto* members = object.if_object();
  const auto* found = members ? members->if_contains(member) : nullptr;
  return found ? *found : none;
}

} // namespace troupe::cli
