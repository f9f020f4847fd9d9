"""Small pictures: a real PNG, and of JPEG and WebP the headers that say how large they are."""

import zlib


def picture(kind: str, width: int, height: int) -> bytes:
    """A picture of one colour, by kind: png, jpeg, webp, webp-lossless, webp-extended."""
    return {
        "png": _png,
        "jpeg": _jpeg,
        "webp": _webp,
        "webp-lossless": _webp_lossless,
        "webp-extended": _webp_extended,
    }[kind](width, height)


def _png(width: int, height: int) -> bytes:
    rows = b"".join(b"\0" + b"\x2f\x6f\x4f" * width for _ in range(height))
    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def _jpeg(width: int, height: int) -> bytes:
    start = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    frame = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x03" + b"\0" * 9
    return start + b"\xff\xdb\x00\x04\0\0" + frame + b"\xff\xd9"


def _riff(chunk: bytes) -> bytes:
    return b"RIFF" + (len(chunk) + 4).to_bytes(4, "little") + b"WEBP" + chunk


def _webp(width: int, height: int) -> bytes:
    frame = b"\x30\x01\x00\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return _riff(b"VP8 " + len(frame).to_bytes(4, "little") + frame)


def _webp_lossless(width: int, height: int) -> bytes:
    frame = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + b"\0" * 5
    return _riff(b"VP8L" + len(frame).to_bytes(4, "little") + frame)


def _webp_extended(width: int, height: int) -> bytes:
    frame = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _riff(b"VP8X" + len(frame).to_bytes(4, "little") + frame)
