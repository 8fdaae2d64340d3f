#!/usr/bin/python3
"""Pillow in a pool of threads behind Python's HTTP server: GET
/{format}/{width}/{file name}, from the folder that is its argument.

Prints what formats it can write, then its port.
"""

import concurrent.futures
import http.server
import io
import json
import os
import pathlib
import sys

from PIL import Image, ImageOps, features

FOLDER = pathlib.Path(sys.argv[1])
POOL = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
SAVES = {"jpg": ("JPEG", {"quality": 80, "optimize": True}),
         "webp": ("WEBP", {"quality": 79, "method": 2})}
if "avif" in features.modules and features.check("avif"):
    SAVES["avif"] = ("AVIF", {"quality": 63, "speed": 8})


def make(name, width, kind):
    with Image.open(FOLDER / name) as image:
        height = round(image.height * width / image.width)
        # Shrinks a JPEG while it is decoded, to no less than twice the size.
        image.draft("RGB", (2 * width, 2 * height))
        small = ImageOps.exif_transpose(image).convert("RGB")
        small = small.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    form, how = SAVES[kind]
    small.save(out, form, **how)
    return out.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        _, kind, width, name = self.path.split("/")
        body = POOL.submit(make, pathlib.PurePath(name).name, int(width),
                           kind).result()
        self.send_response(200)
        self.send_header("Content-Type", f"image/{kind}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(json.dumps(sorted(SAVES)))
print(SERVER.server_address[1], flush=True)
SERVER.serve_forever()
