"""Logos: PNG, JPEG or WebP, told by their bytes and never by what somebody calls them. Pure."""

from nightlatch.refusals import invalid

LARGEST_LOGO = 64 * 1024
SMALLEST_SIDE, LARGEST_SIDE = 16, 1024
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG's markers that say the size (ITU-T T.81, table B.1: SOF0 to SOF15)."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG's markers that have no length."""


def clean_logo(data: bytes) -> str:
    """The media type of a logo. Raises Refused (`invalid`, at `logo`)."""
    if len(data) > LARGEST_LOGO:
        raise invalid("logo", f"A logo has at most {LARGEST_LOGO // 1024} KiB.")
    found = _png(data) or _jpeg(data) or _webp(data)
    if found is None:
        raise invalid("logo", "A logo is a PNG, JPEG or WebP picture.")
    media_type, width, height = found
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in (width, height)):
        raise invalid(
            "logo",
            f"A logo is {SMALLEST_SIDE} to {LARGEST_SIDE} pixels wide and high; this is {width} x {height}.",
        )
    return media_type


def _png(data: bytes) -> tuple[str, int, int] | None:
    """PNG (ISO/IEC 15948) section 11.2.1: IHDR comes first."""
    if data[:16] != b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" or len(data) < 33:
        return None
    return "image/png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _jpeg(data: bytes) -> tuple[str, int, int] | None:
    """JPEG (ITU-T T.81) section B.1: segments until the frame's header."""
    if data[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            return "image/jpeg", int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _webp(data: bytes) -> tuple[str, int, int] | None:
    """WebP (RFC 9649): a simple lossy, a simple lossless, or an extended file."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        return "image/webp", width, height
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return "image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return "image/webp", width, height
    return None
