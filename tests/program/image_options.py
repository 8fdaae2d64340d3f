"""Options of imgproxy's open version, as its clients in JavaScript write them,
and what has to come of each."""

import time

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def close(a, b, by=12):
    return len(a) == len(b) and all(abs(x - y) <= by for x, y in zip(a, b))


class Row:
    """An option as both clients write it, and what has to come of it.

    `core` are options of js-core, `calls` those of imgproxy's builder; None
    where a client has no way to say it. `look` gets the picture and its answer
    and is true of them.
    """

    def __init__(self, name, core, calls, size=None, kind="jpg", status=200,
                 source="a.jpg", look=None):
        self.name, self.core, self.calls = name, core, calls
        self.size, self.kind, self.status = size, kind, status
        self.source, self.look = f"local:///{source}", look


def size_rows():
    width = {"width": 100}
    return [
        Row("rs", {"resize": {"resizing_type": "fill", "width": 150,
                              "height": 100, "enlarge": False}},
            [["resize", "fill", 150, 100]], (150, 100)),
        Row("rs with all", {"resize": {
            "resizing_type": "fit", "width": 700, "height": 700,
            "enlarge": False, "extend": {
                "extend": True, "gravity": {"type": "no"}}},
            "background": "ff0000"},
            [["setOption", "rs", "fit:700:700:0:1:no"],
             ["background", "ff0000"]], (700, 700),
            look=lambda it, _: close(it.pixel(5, 690), RED)),
        Row("s", {"size": {"width": 100, "height": 100}},
            [["size", 100, 100]], (100, 75)),
        Row("rt", {"resizing_type": "force", "width": 50, "height": 100},
            [["resizingType", "force"], ["width", 50], ["height", 100]],
            (50, 100)),
        Row("rt fill-down", {"resizing_type": "fill-down", "width": 960,
                             "height": 960},
            [["resize", "fill-down", 960, 960]], (480, 480)),
        Row("rt auto", {"resizing_type": "auto", "width": 100, "height": 50},
            [["setOption", "rt", "auto"], ["width", 100], ["height", 50]],
            (100, 50)),
        Row("w", {"width": 200}, [["width", 200]], (200, 150)),
        Row("h", {"height": 120}, [["height", 120]], (160, 120)),
        Row("mw", {"height": 75, "min_width": 200},
            [["height", 75], ["minWidth", 200]], (200, 75)),
        Row("mh", {**width, "min_height": 150},
            [["width", 100], ["minHeight", 150]], (100, 150)),
        Row("z", {"width": 200, "zoom": {"zoom_x": 0.5, "zoom_y": 0.5}},
            [["width", 200], ["setOption", "z", "0.5"]], (100, 75)),
        Row("dpr", {**width, "dpr": 2}, [["width", 100], ["dpr", "2"]],
            (200, 150)),
        Row("el", {"width": 800, "enlarge": True},
            [["width", 800], ["enlarge", 1]], (800, 600)),
        Row("ex", {"size": {"width": 100, "height": 100}, "extend": {
            "extend": True, "gravity": {"type": "so"}},
            "background": "00ff00"},
            [["size", 100, 100], ["setOption", "ex", "1:so"],
             ["background", "00ff00"]], (100, 100),
            look=lambda it, _: close(it.pixel(50, 3), GREEN)),
        Row("exar", {"size": {"width": 100, "height": 100},
                     "extend_aspect_ratio": {"extend": True}},
            [["size", 100, 100], ["setOption", "exar", "1"]], (100, 100)),
    ]


def place_rows(whole):
    def cut(left, top):
        return lambda it, _: close(it.part(0, 0, 100, 90),
                                   whole.part(left, top, 100, 90), 3)

    def mirrored(it, _):
        return all(close(it.pixel(x, 200), whole.pixel(639 - x, 200), 3)
                   for x in range(0, 640, 40))

    def turned(it, _):
        return all(close(it.pixel(479 - y, x), whole.pixel(x, y), 3)
                   for x in range(0, 640, 80) for y in range(0, 480, 80))

    def east(it, _):
        return all(close(it.pixel(x, 100), whole.pixel(160 + x, 100), 3)
                   for x in range(0, 480, 40))

    return [
        Row("g", {"gravity": {"type": "ea"}, "format": "png",
                  "resize": {"resizing_type": "fill", "width": 480,
                             "height": 480}},
            [["resize", "fill", 480, 480], ["gravity", "ea"],
             ["format", "png"]], (480, 480), "png", look=east),
        Row("g with offsets", {"gravity": {
            "type": "soea", "x_offset": 10, "y_offset": 20},
            "crop": {"width": 100, "height": 90}, "format": "png"},
            [["gravity", {"type": "soea", "xOffset": 10, "yOffset": 20}],
             ["crop", 100, 90], ["format", "png"]], (100, 90), "png",
            look=cut(530, 370)),
        Row("g:fp", {"gravity": {"type": "fp", "x": 1, "y": 0},
                     "crop": {"width": 100, "height": 90}, "format": "png"},
            [["gravity", {"x": 1, "y": 0}], ["crop", 100, 90],
             ["format", "png"]], (100, 90), "png", look=cut(540, 0)),
        Row("g:sm", {"gravity": {"type": "sm"}, "resize": {
            "resizing_type": "fill", "width": 100, "height": 200}},
            [["resize", "fill", 100, 200], ["gravity", "sm"]], (100, 200)),
        Row("c", {"crop": {"width": 100, "height": 90,
                           "gravity": {"type": "nowe", "x_offset": 7,
                                       "y_offset": 9}}, "format": "png"},
            [["crop", 100, 90, {"type": "nowe", "xOffset": 7, "yOffset": 9}],
             ["format", "png"]], (100, 90), "png", look=cut(7, 9)),
        Row("c of shares", {"crop": {"width": 0.5, "height": 0.25}},
            [["crop", 0.5, 0.25]], (320, 120)),
        Row("t", {"trim": {"threshold": 10}, "format": "png"},
            [["setOption", "t", "10"], ["format", "png"]], (100, 80), "png",
            source="framed.png"),
        Row("t with all", {"trim": {
            "threshold": 10, "color": "00ff00", "equal_hor": True,
            "equal_ver": True}, "format": "png"},
            [["setOption", "t", "10:00ff00:1:1"], ["format", "png"]],
            (120, 90), "png", source="framed.png"),
        Row("pd", {"width": 100, "padding": {"top": 1, "right": 2, "bottom": 3,
                                             "left": 40},
                   "background": "ff0000"},
            [["width", 100], ["setOption", "pd", "1:2:3:40"],
             ["background", "ff0000"]], (142, 79),
            look=lambda it, _: close(it.pixel(20, 40), RED)),
        Row("ar", {"auto_rotate": True}, [["setOption", "ar", "1"]],
            (480, 640), source="turned.jpg"),
        Row("ar off", {"auto_rotate": False}, [["setOption", "ar", "0"]],
            (640, 480), source="turned.jpg"),
        Row("rot", {"rotate": 90, "format": "png"},
            [["setOption", "rot", "90"], ["format", "png"]], (480, 640), "png",
            look=turned),
        Row("fl", {"flip": {"horizontal": True, "vertical": False},
                   "format": "png"},
            [["setOption", "fl", "1:0"], ["format", "png"]], (640, 480), "png",
            look=mirrored),
    ]


def look_rows(whole):
    small = {"width": 320}
    asked = [["width", 320]]
    return [
        Row("bg of hex", {"background": "ff0000", "format": "jpg"},
            [["background", "ff0000"], ["format", "jpg"]], (64, 48),
            source="clear.png", look=lambda it, _: close(it.pixel(9, 9), RED)),
        Row("bg of numbers", {"background": {"r": 0, "g": 255, "b": 0},
                              "format": "jpg"},
            [["background", {"r": 0, "g": 255, "b": 0}], ["format", "jpg"]],
            (64, 48), source="clear.png",
            look=lambda it, _: close(it.pixel(9, 9), GREEN)),
        Row("bl", {"blur": 5}, [["blur", 5]], (640, 480),
            look=lambda it, _: it.roughness() < whole.roughness() / 2),
        Row("sh", {"sharpen": 2}, [["sharpen", 2]], (640, 480),
            look=lambda it, _: it.roughness() > whole.roughness()),
        Row("pix", {"pixelate": 20, "format": "png"},
            [["setOption", "pix", "20"], ["format", "png"]], (640, 480), "png",
            look=lambda it, _: it.part(0, 0, 20, 20)
            == bytes(it.pixel(0, 0)) * 400),
        Row("wm", {**small, "watermark": {
            "opacity": 1, "position": "soea", "x_offset": 10, "y_offset": 10,
            "scale": 0}},
            [*asked, ["watermark", 1, "soea", {"x": 10, "y": 10}, 0]],
            (320, 240),
            look=lambda it, _: close(it.pixel(300, 225), WHITE)),
        Row("wm all over", {**small, "watermark": {
            "opacity": 1, "position": "re"}},
            [*asked, ["watermark", 1, "re", {"x": 0, "y": 0}, 0]], (320, 240),
            look=lambda it, _: close(it.pixel(33, 200), WHITE)),
    ]


def storage_rows():
    def holds(*texts, less=()):
        return lambda it, _: (all(text in it.bytes for text in texts)
                              and not any(text in it.bytes for text in less))

    rows = [
        Row("f " + kind, {"width": 100, "format": kind},
            [["width", 100], ["format", kind]], (100, 75), kind)
        for kind in ("jpg", "png", "webp", "avif", "gif", "tiff")]
    return rows + [
        Row("sm", {"strip_metadata": True}, [["setOption", "sm", "1"]],
            source="turned.jpg",
            look=holds(b"(c) owner", less=[b"camera 1"])),
        Row("sm off", {"strip_metadata": False}, [["setOption", "sm", "0"]],
            source="turned.jpg", look=holds(b"(c) owner", b"camera 1")),
        Row("kcr off", {"keep_copyright": False}, [["setOption", "kcr", "0"]],
            source="turned.jpg",
            look=holds(less=[b"(c) owner", b"camera 1"])),
        Row("scp", {"strip_color_profile": True}, [["setOption", "scp", "1"]],
            (64, 48), source="p3.jpg", look=holds(less=[b"ICC_PROFILE"])),
        Row("scp off", {"strip_color_profile": False},
            [["setOption", "scp", "0"]], (64, 48), source="p3.jpg",
            look=holds(b"ICC_PROFILE")),
        Row("q", {"quality": 5}, [["quality", 5]], (640, 480),
            look=lambda it, _: len(it.bytes) < 18000),
        Row("fq", {"format_quality": [{"format": "png", "quality": 90},
                                      {"format": "jpg", "quality": 5}]},
            [["setOption", "fq", "png:90:jpg:5"]], (640, 480),
            look=lambda it, _: len(it.bytes) < 18000),
        Row("mb", {"max_bytes": 18000}, [["maxBytes", 18000]], (640, 480),
            look=lambda it, _: len(it.bytes) <= 18000),
        Row("eth", {"enforce_thumbnail": True, "width": 100},
            [["setOption", "eth", "1"], ["width", 100]], (100, 75)),
    ]


def other_rows():
    def said(name, value):
        return lambda _, answer: answer.headers[name].startswith(value)

    def lasts(_, answer):
        age = int(answer.headers["Cache-Control"].split("max-age=")[1])
        return 3000 < age <= 3600

    soon = int(time.time()) + 3600
    return [
        Row("cb", {"cachebuster": "v1"}, [["cacheBuster", "v2"]], (640, 480)),
        Row("exp", {"expires": soon}, [["expires", soon]], (640, 480),
            look=lasts),
        Row("exp past", {"expires": 1000}, [["expires", 1000]], status=404),
        Row("fn", {"filename": {"name": "holiday"}, "format": "jpg"},
            [["setOption", "fn", "holiday"], ["format", "jpg"]], (640, 480),
            look=said("Content-Disposition", 'inline; filename="holiday.jpg"')),
        Row("att", {"return_attachment": True, "filename": {"name": "day"},
                    "format": "jpg"},
            [["setOption", "att", "1"], ["setOption", "fn", "day"],
             ["format", "jpg"]], (640, 480),
            look=said("Content-Disposition",
                      'attachment; filename="day.jpg"')),
        Row("pr", {"preset": ["small"]}, [["preset", "small"]], (150, 150)),
        # js-core writes `sp`, which imgproxy itself does not know.
        Row("skp", {"skip_processing": ["png"], "width": 10},
            [["setOption", "skp", "png"], ["width", 10]], (64, 48), "png",
            source="clear.png"),
        Row("raw", {"raw": True}, [["setOption", "raw", "1"]], (640, 480),
            look=lambda it, _: b"camera 1" in it.bytes, source="turned.jpg"),
        Row("msr", {"max_src_resolution": 0.1}, [["setOption", "msr", "0.1"]],
            status=413),
        Row("msfs", {"max_src_file_size": 1000},
            [["setOption", "msfs", "1000"]], status=413),
        Row("maf", {"max_animation_frames": 2}, [["setOption", "maf", "2"]],
            (64, 48), "gif", source="moving.gif",
            look=lambda it, _: it.frames == 2),
        Row("mafr", {"max_animation_frame_resolution": 0.001},
            [["setOption", "mafr", "0.001"]], status=413, source="moving.gif"),
        Row("mrd", {"max_result_dimension": 100}, [["setOption", "mrd", "100"]],
            (100, 75)),
        Row("no option at all", {}, [], (640, 480)),
        Row("paid: br", {"brightness": 20}, [["setOption", "br", "20"]],
            status=422),
    ]


def all_rows(whole):
    """@param whole `a.jpg`, decoded"""
    return (size_rows() + place_rows(whole) + look_rows(whole)
            + storage_rows() + other_rows())
