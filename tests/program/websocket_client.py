"""A client of `/v1/ws`; standard library only."""

import base64
import json
import os
import socket
import struct


class WebSocket:
    """A client of `/v1/ws`; just what the tests need of RFC 6455."""

    def __init__(self, port, path="/v1/ws", headers=None, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.buffer = b""
        self.close_code = None
        lines = {"Host": f"127.0.0.1:{port}", "Upgrade": "websocket",
                 "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
                 "Sec-WebSocket-Protocol": "troupe.v1", **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        answer, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(answer.split()[1])

    def more(self):
        block = self.socket.recv(65536)
        if not block:
            raise ConnectionError("closed")
        self.buffer += block

    def send_frame(self, opcode, payload):
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", size)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(head + mask + masked)

    def send(self, message):
        self.send_frame(1, json.dumps(message).encode())

    def receive(self):
        """The next message as JSON; None once the server has closed."""
        while True:
            opcode, payload = self.frame()
            if opcode == 9:
                self.send_frame(10, payload)
            elif opcode == 8:
                self.close_code = struct.unpack("!H", payload[:2])[0] \
                    if len(payload) >= 2 else 1005
                return None
            elif opcode == 1:
                return json.loads(payload)

    def frame(self):
        while len(self.buffer) < 2:
            self.more()
        size, start = self.buffer[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            while len(self.buffer) < start:
                self.more()
            size = int.from_bytes(self.buffer[2:start], "big")
        while len(self.buffer) < start + size:
            self.more()
        opcode = self.buffer[0] & 0x0F
        payload = self.buffer[start:start + size]
        self.buffer = self.buffer[start + size:]
        return opcode, payload

    def subscribe(self, *topics, request_id=1):
        """Topics by name, or as dictionaries with epoch and offset; the
        `subscribed` (or `error`) answers, one per topic."""
        self.send({"op": "subscribe", "id": request_id, "topics": [
            topic if isinstance(topic, dict) else {"topic": topic}
            for topic in topics]})
        return [self.receive() for _ in topics]

    def events_until(self, done):
        """All messages up to the first for which `done` is true."""
        seen = []
        while not seen or not done(seen[-1]):
            message = self.receive()
            if message is None:
                raise AssertionError(f"closed {self.close_code} after {seen[-3:]}")
            seen.append(message)
        return seen

    def close(self):
        self.socket.close()
