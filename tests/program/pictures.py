"""Pictures for black-box tests: made by ffmpeg and Python, decoded by libvips.
"""

import pathlib
import struct
import subprocess
import tempfile
import zlib

from harness import TroupeTest

MAGIC = {"jpg": b"\xff\xd8\xff", "png": b"\x89PNG", "gif": b"GIF8",
         "tiff": b"II*\0"}


def make_picture(path, size="640x480", source="testsrc2", extra=()):
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
         f"{source}{':' if '=' in source else '='}size={size}", "-frames:v",
         "1", *extra, str(path)],
        check=True, stdin=subprocess.DEVNULL)
    return path


def with_exif(jpeg, orientation):
    """A JPEG with its orientation, a camera and an owner (CIPA DC-008, 4.6).
    """
    data = 8 + 2 + 3 * 12 + 4
    tiff = struct.pack("<4sIH", b"II*\0", 8, 3)
    tiff += struct.pack("<HHII", 0x0112, 3, 1, orientation)
    tiff += struct.pack("<HHII", 0x0131, 2, 10, data)
    tiff += struct.pack("<HHII", 0x8298, 2, 10, data + 10)
    tiff += struct.pack("<I10s10s", 0, b"camera 1", b"(c) owner")
    body = b"Exif\0\0" + tiff
    block = struct.pack(">HH", 0xffe1, len(body) + 2) + body
    return jpeg[:2] + block + jpeg[2:]


def png_chunk(name, data):
    return (struct.pack(">I", len(data)) + name + data
            + struct.pack(">I", zlib.crc32(name + data)))


def plain_png(width, height, color):
    """All pixels of one colour, of three or four bands (PNG, 2nd edition)."""
    kind = {3: 2, 4: 6}[len(color)]
    rows = (b"\0" + bytes(color) * width) * height
    return (b"\x89PNG\r\n\x1a\n"
            + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8,
                                             kind, 0, 0, 0))
            + png_chunk(b"IDAT", zlib.compress(rows, 1))
            + png_chunk(b"IEND", b""))


def first_pixel(png):
    """Of a PNG of 8 bits a band that is whole; None of any other bytes."""
    at, data, ended = 8, b"", False
    while at + 12 <= len(png):
        size, = struct.unpack_from(">I", png, at)
        whole = png[at + 4:at + 8 + size]
        if png[at + 8 + size:at + 12 + size] != struct.pack(
                ">I", zlib.crc32(whole)):
            return None
        if whole[:4] == b"IDAT":
            data += whole[4:]
        ended = whole[:4] == b"IEND"
        at += 12 + size
    # Whatever the first row's filter, its first pixel is as it is.
    return zlib.decompress(data)[1:4] if ended and at == len(png) else None


def kind_of(body):
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    if body[4:12] == b"ftypavif":
        return "avif"
    return next((name for name, magic in MAGIC.items()
                 if body.startswith(magic)), None)


class Picture:
    """An image's bytes, decoded whole by libvips' own tools; of an animation,
    the frames beneath each other."""

    def __init__(self, body):
        self.bytes = body
        self.kind = kind_of(body)
        with tempfile.TemporaryDirectory(prefix="troupe-test-") as name:
            file = pathlib.Path(name) / f"made.{self.kind}"
            file.write_bytes(body)
            loaded = f"{file}[n=-1]" if self.kind in ("gif", "webp") else file
            self.run("vips", "copy", loaded, f"{name}/all.v")
            self.fields = self.read_fields(f"{name}/all.v")
            self.run("vips", "rawsave", f"{name}/all.v", f"{name}/all.raw")
            self.pixels = pathlib.Path(f"{name}/all.raw").read_bytes()
        self.width, self.height, self.bands = (
            int(self.fields[key]) for key in ("width", "height", "bands"))
        self.frames = int(self.fields.get("n-pages", 1))

    @staticmethod
    def run(*command):
        return subprocess.run([*map(str, command)], check=True,
                              capture_output=True, text=True).stdout

    def read_fields(self, file):
        """What the header says, metadata too."""
        lines = self.run("vipsheader", "-a", file).splitlines()[1:]
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    @property
    def size(self):
        """Of one frame."""
        return self.width, self.height // self.frames

    def pixel(self, x, y):
        at = (y * self.width + x) * self.bands
        return tuple(self.pixels[at:at + self.bands])

    def roughness(self):
        """Mean square of what neighbours differ by, in the first band."""
        row = self.pixels[::self.bands]
        return sum((a - b) ** 2 for a, b in zip(row, row[1:])) / len(row)

    def part(self, left, top, width, height):
        """Bytes of a part's pixels."""
        rows = (self.pixels[((top + y) * self.width + left) * self.bands:]
                [:width * self.bands] for y in range(height))
        return b"".join(rows)


class ImageTest(TroupeTest):
    """A server with `a.jpg`, of 640 by 480, in its media root."""
    environment = {}
    flags = ()

    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        self.media.mkdir()
        make_picture(self.media / "a.jpg")
        self.add_sources()
        self.troupe = self.server("--media-root", str(self.media), *self.flags,
                                  environment=self.settings())

    def add_sources(self):
        """What else lies there before the server starts."""

    def settings(self):
        return self.environment

    def image(self, options, source="local:///a.jpg", ext="jpg", **headers):
        named = f"@{ext}" if ext else ""
        return self.troupe.get(f"/img/_/{options}/plain/{source}{named}",
                               headers=headers)

    def stats(self):
        return self.troupe.get("/v1/images/stats").json
