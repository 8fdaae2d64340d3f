"""A receiver of callbacks that keeps its own log, and sometimes fails."""

import http.server
import json
import random
import threading


class Receiver:
    """`heard`: for each job, the events it was told of and their ids."""

    def __init__(self, seed=1):
        self.heard = {}
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers.get("Content-Length", 0))
                outer.take(self, self.rfile.read(size))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/told"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request, body):
        with self.lock:
            fails = self.random.random() < 0.1
        told = json.loads(body)
        if not fails:
            with self.lock:
                self.heard.setdefault(told["data"]["id"], []).append(
                    (request.headers.get("Troupe-Event"),
                     request.headers.get("Troupe-Event-Id")))
        request.send_response(500 if fails else 204)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def events(self, job_id):
        with self.lock:
            return list(self.heard.get(job_id, []))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
