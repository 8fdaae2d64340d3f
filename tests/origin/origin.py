#!/usr/bin/env python3
"""A web origin for tests and the demo, with faults to order.

    origin.py FOLDER [--bind ADDRESS]... [--port N] [--rate BYTES_PER_S]

Listens on each address (default 127.0.0.1) at one port (default: a free one)
and prints `listening PORT` when ready. It serves:

    /files/NAME          a file of FOLDER: Range, ETag, Last-Modified, HEAD
    /tree/PATH           the same in folders beneath FOLDER: manifests and parts
    /changing/NAME       NAME, or NAME.2 and so on after POST /version?is=2
    /hls/NAME/index.m3u8 NAME cut into MPEG-TS segments (FOLDER/NAME/*.ts);
                         ?missing=N leaves segment N out, ?base=URL names
                         segments by absolute URLs; ?live=1 has no end
    /page?video=URL      a page that embeds a video; ?poster=URL its picture
    /redirect?to=URL     302
    /loop                302 to itself
    /status/CODE         that status; ?retry_after=S sets the header
    /log                 the requests so far, as JSON

Each path takes ?rate=BYTES_PER_S (slow body), ?drop_after=BYTES (the connection
breaks there), ?fail=N (the first N requests of this path answer 503) and
?stall_after=BYTES (the body stops there, the connection stays) and ?ranges=no.
"""

import argparse
import collections
import email.utils
import hashlib
import http.server
import json
import pathlib
import re
import sys
import threading
import time
import urllib.parse

BLOCK = 16 * 1024


class State:
    """What all connections share."""

    def __init__(self, folder, rate):
        self.folder = pathlib.Path(folder).resolve()
        self.rate = rate
        self.version = 1
        self.log = []
        self.failed = collections.Counter()
        self.lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/version":
            query = dict(urllib.parse.parse_qsl(url.query))
            self.server.state.version = int(query["is"])
            return self.send_text(200, "ok")
        return self.send_text(404, "no such thing")

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        path = urllib.parse.unquote(url.path)
        state = self.server.state
        with state.lock:
            if path != "/log":
                state.log.append({"method": self.command, "path": self.path,
                                  "host": self.headers.get("Host", ""),
                                  "range": self.headers.get("Range", "")})
            state.failed[path] += 1
            fails = state.failed[path] <= int(self.query.get("fail", 0))
        if fails:
            return self.send_text(503, "not now")
        for pattern, handle in self.routes:
            if match := re.fullmatch(pattern, path):
                return handle(self, *match.groups())
        return self.send_text(404, "no such thing")

    def file(self, name):
        self.send_file(self.server.state.folder / name)

    def tree(self, path):
        folder = self.server.state.folder
        wanted = (folder / path).resolve()
        if not wanted.is_relative_to(folder):
            return self.send_text(404, "no such file")
        return self.send_file(wanted)

    def changing(self, name):
        version = self.server.state.version
        suffix = "" if version == 1 else f".{version}"
        self.send_file(self.server.state.folder / (name + suffix),
                       kind=guess(name))

    def playlist(self, name):
        segments = sorted((self.server.state.folder / name).glob("*.ts"))
        base = self.query.get("base", "")
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:10",
                 "#EXT-X-MEDIA-SEQUENCE:0"]
        for number, segment in enumerate(segments):
            gone = str(number) == self.query.get("missing")
            lines += ["#EXTINF:2.0,",
                      base + ("gone.ts" if gone else segment.name)]
        if "live" not in self.query:
            lines.append("#EXT-X-ENDLIST")
        self.send_text(200, "\n".join(lines) + "\n",
                       "application/vnd.apple.mpegurl")

    def segment(self, name, segment):
        self.send_file(self.server.state.folder / name / segment)

    def page(self):
        video = self.query["video"]
        poster = self.query.get("poster", "")
        self.send_text(200, "<!doctype html><title>A page</title>"
                            f'<video src="{video}" poster="{poster}"></video>',
                       "text/html")

    def redirect(self):
        self.send_response(302)
        self.send_header("Location", self.query["to"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def loop(self):
        self.query["to"] = "/loop"
        self.redirect()

    def status(self, code):
        self.send_response(int(code))
        if "retry_after" in self.query:
            self.send_header("Retry-After", self.query["retry_after"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def show_log(self):
        self.send_text(200, json.dumps(self.server.state.log),
                       "application/json")

    routes = [(r"/files/([\w.-]+)", file), (r"/tree/([\w./-]+)", tree),
              (r"/changing/([\w.-]+)", changing),
              (r"/hls/([\w-]+)/index\.m3u8", playlist),
              (r"/hls/([\w-]+)/([\w.-]+\.ts)", segment), (r"/page", page),
              (r"/redirect", redirect), (r"/loop", loop),
              (r"/status/(\d{3})", status),
              (r"/log", show_log)]

    def send_text(self, status, text, kind="text/plain"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_file(self, path, kind=None):
        if not path.is_file():
            return self.send_text(404, "no such file")
        facts = path.stat()
        tag = hashlib.sha256(f"{path}{facts.st_size}{facts.st_mtime_ns}"
                             .encode()).hexdigest()[:16]
        first, last = self.wanted_range(facts.st_size, f'"{tag}"')
        if first >= facts.st_size > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{facts.st_size}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        whole = (first, last) == (0, facts.st_size - 1)
        self.send_response(200 if whole else 206)
        self.send_header("Content-Type", kind or guess(path.name))
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{tag}"')
        self.send_header("Last-Modified",
                         email.utils.formatdate(facts.st_mtime, usegmt=True))
        if not whole:
            self.send_header("Content-Range",
                             f"bytes {first}-{last}/{facts.st_size}")
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(path, first, last)

    def wanted_range(self, size, tag):
        match = re.fullmatch(r"bytes=(\d+)-(\d*)",
                             self.headers.get("Range", ""))
        if (not match or self.headers.get("If-Range", tag) != tag
                or self.query.get("ranges") == "no"):
            return 0, size - 1
        last = int(match[2]) if match[2] else size - 1
        return int(match[1]), min(last, size - 1)

    def send_body(self, path, first, last):
        rate = int(self.query.get("rate", self.server.state.rate))
        drop_after = int(self.query.get("drop_after", -1))
        stall_after = int(self.query.get("stall_after", -1))
        started, sent, left = time.monotonic(), 0, last - first + 1
        with open(path, "rb") as body:
            body.seek(first)
            while left > 0:
                block = body.read(min(BLOCK, left))
                if 0 <= drop_after <= first + sent:
                    self.close_connection = True
                    return
                while 0 <= stall_after <= first + sent:
                    time.sleep(0.1)
                    self.connection.getpeername()
                self.wfile.write(block)
                sent += len(block)
                left -= len(block)
                if rate:
                    ahead = sent / rate - (time.monotonic() - started)
                    time.sleep(max(0, ahead))

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, OSError):
            self.close_connection = True

    def log_message(self, *_):
        pass


def guess(name):
    kinds = {".mp4": "video/mp4", ".webm": "video/webm", ".ts": "video/mp2t",
             ".mp3": "audio/mpeg", ".mkv": "video/x-matroska",
             ".html": "text/html", ".mpd": "application/dash+xml",
             ".m3u8": "application/vnd.apple.mpegurl", ".vtt": "text/vtt",
             ".m4s": "video/iso.segment", ".jpg": "image/jpeg",
             ".flac": "audio/flac"}
    return kinds.get(pathlib.Path(name).suffix, "application/octet-stream")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, state):
        super().__init__(address, Handler)
        self.state = state


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--bind", action="append")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=int, default=0)
    asked = parser.parse_args()
    state = State(asked.folder, asked.rate)
    port, servers = asked.port, []
    for address in asked.bind or ["127.0.0.1"]:
        servers.append(Server((address, port), state))
        port = servers[-1].server_address[1]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening {port}", flush=True)
    try:
        servers[0].serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
