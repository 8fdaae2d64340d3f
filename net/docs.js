// Shows openapi.json and asyncapi.json of this server. Text from them is only
// ever set as text, never as markup.
"use strict";

const content = document.getElementById("content");

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text)
    made.textContent = text;
  made.append(...children.filter(Boolean));
  return made;
}

/** What a `{"$ref": "#/…"}` of `root` stands for; else the value itself. */
function resolved(root, value) {
  if (!value || !value.$ref)
    return value;
  return value.$ref.slice(2).split("/").reduce(
    (at, part) => at[part.replace(/~1/g, "/").replace(/~0/g, "~")], root);
}

function row(...cells) {
  return element("tr", "", ...cells.map(
    cell => cell instanceof Node ? cell : element("td", cell)));
}

function type_of(schema) {
  if (!schema)
    return "";
  if (schema.$ref)
    return schema.$ref.split("/").pop();
  const type = [].concat(schema.type || []).join(" or ");
  return schema.enum ? schema.enum.join(" | ") : type;
}

function parameters(root, list) {
  if (!list.length)
    return null;
  const rows = list.map(each => resolved(root, each)).map(each => {
    const name = element("td", "", element("code", each.name));
    if (each.required)
      name.className = "required";
    return row(name, each.in, type_of(each.schema), each.description || "");
  });
  return element("section", "", element("h3", "Parameters"),
                 element("table", "", ...rows));
}

function schema_text(schema) {
  return element("pre", JSON.stringify(schema, null, 2));
}

function body(root, from) {
  const media = from && resolved(root, from).content;
  if (!media)
    return null;
  return element("section", "", element("h3", "Body"),
    ...Object.entries(media).map(([type, value]) => element("div", "",
      element("code", type), schema_text(resolved(root, value.schema)))));
}

function answers(root, from) {
  const rows = Object.entries(from).map(([status, value]) => {
    const told = resolved(root, value);
    const schemas = Object.values(told.content || {})
      .map(each => type_of(each.schema)).join(", ");
    return row(element("td", "", element("code", status)), schemas,
               told.description || "");
  });
  return element("section", "", element("h3", "Answers"),
                 element("table", "", ...rows));
}

function call(root, path, method, told, shared) {
  const summary = element("summary", "", element("b", method),
    element("code", path), element("span", told.summary || ""));
  return element("details", "", summary,
    told.description && element("p", told.description),
    parameters(root, [...shared, ...(told.parameters || [])]),
    body(root, told.requestBody), answers(root, told.responses));
}

function group(title, ...children) {
  content.append(element("section", "", element("h2", title), ...children));
}

function show_calls(root) {
  const tags = new Map((root.tags || []).map(tag => [tag.name, []]));
  for (const [path, item] of Object.entries(root.paths))
    for (const [method, told] of Object.entries(item)) {
      if (method === "parameters")
        continue;
      const tag = (told.tags || ["other"])[0];
      if (!tags.has(tag))
        tags.set(tag, []);
      tags.get(tag).push(call(root, path, method, told, item.parameters || []));
    }
  for (const [tag, calls] of tags)
    group(tag, ...calls);
}

function named(title, entries, text) {
  group(title, ...Object.entries(entries).map(([name, value]) =>
    element("details", "", element("summary", "", element("code", name),
      element("span", text(value))), schema_text(value))));
}

async function load(path) {
  const answer = await fetch(path);
  if (!answer.ok)
    throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function filter(words) {
  const wanted = words.toLowerCase();
  for (const each of content.querySelectorAll("details"))
    each.hidden = !each.textContent.toLowerCase().includes(wanted);
  for (const each of content.children)
    each.hidden = !each.querySelector("details:not([hidden])");
}

async function show() {
  const [calls, events] = await Promise.all(
    [load("openapi.json"), load("asyncapi.json")]);
  document.getElementById("about").after(element("p", calls.info.description));
  show_calls(calls);
  group("channels of events", element("p", events.info.description),
    ...Object.values(events.channels).map(channel => element("details", "",
      element("summary", "", element("code", channel.address)),
      element("p", channel.description))));
  named("messages of events", events.components.messages,
        message => message.summary || "");
  named("schemas of events", events.components.schemas,
        schema => schema.description || "");
  named("schemas", calls.components.schemas,
        schema => schema.description || schema.title || "");
}

const input = document.getElementById("filter");
input.addEventListener("input", () => filter(input.value));
show().catch(error => content.append(element("p", String(error))));
