// sharp in a node HTTP server: GET /{format}/{width}/{file name}, from the
// folder that is its argument. Prints its port. One process; sharp works on
// libuv's threads, libvips with one thread each, without its cache.
"use strict";

const http = require("node:http");
const path = require("node:path");
const sharp = require("sharp");

sharp.concurrency(1);
sharp.cache(false);

const folder = process.argv[2];
const formats = {
  jpg: (image) => image.jpeg({ quality: 80 }),
  webp: (image) => image.webp({ quality: 79, effort: 2 }),
  avif: (image) => image.avif({ quality: 63, effort: 2 }),
};

const server = http.createServer(async (request, response) => {
  const [, format, width, name] = request.url.split("/");
  try {
    const image = sharp(path.join(folder, path.basename(name)), {
      sequentialRead: true,
    });
    const made = await formats[format](
      image.autoOrient().resize({ width: Number(width) }),
    ).toBuffer();
    response.setHeader("Content-Type", `image/${format}`);
    response.end(made);
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
