// URLs as npm's clients of imgproxy build them: reads {base, key, salt, rows}
// from stdin, prints a list of URLs. A row is {options, source, type?,
// settings?} for @imgproxy/imgproxy-js-core, or {calls, source, ext?, only?,
// encode?} for imgproxy: calls of its builder, [name, argument…].
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");

const from = createRequire(path.join(process.cwd(), "urls.js"));
const core = from("@imgproxy/imgproxy-js-core");
const { Imgproxy } = from("imgproxy");

const { base, key, salt, rows } = JSON.parse(fs.readFileSync(0, "utf8"));

// js-core leaves the signature to the packages that stand on it.
function signed(target) {
  if (!key) return `insecure${target}`;
  const hmac = crypto.createHmac("sha256", Buffer.from(key, "hex"));
  hmac.update(Buffer.from(salt, "hex"));
  return hmac.update(target).digest("base64url") + target;
}

function byCore({ options, source, type, settings }) {
  const url = { value: source, type: type || "plain" };
  return base + signed(core.generateUrl(url, options, settings));
}

function byImgproxy({ calls, source, ext, only, encode }) {
  const secrets = key ? { key, salt } : {};
  const client = new Imgproxy({ baseUrl: base, ...secrets, encode });
  const builder = only ? client.presetOnlyBuilder() : client.builder();
  for (const [name, ...given] of calls) builder[name](...given);
  return builder.generateUrl(source, ext);
}

const urls = rows.map((row) => (row.calls ? byImgproxy : byCore)(row));
console.log(JSON.stringify(urls));
