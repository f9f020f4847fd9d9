"""The QR code, read by an independent reader as it stands in the SVG."""

import re
import zlib
from pathlib import Path
from struct import pack
from xml.etree import ElementTree

import pytest

from nightlatch.authenticators import totp
from nightlatch.authenticators.qr import qr_svg
from tests.support import qr

SEED = b"12345678901234567890"
SVG = "{http://www.w3.org/2000/svg}"


def picture(svg: str, scale: int = 6) -> list[bytes]:
    """The rows of the drawing, a byte a pixel: what the rectangle and the path say, nothing assumed."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own text
    _, _, width, height = (int(number) for number in root.attrib["viewBox"].split())
    rect, path = root
    assert (int(rect.attrib["width"]), int(rect.attrib["height"])) == (width, height)
    rows = [bytearray([255 if rect.attrib["fill"] == "#fff" else 128]) * width for _ in range(height)]
    assert path.attrib["fill"] == "#000"
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path.attrib["d"]):
        rows[int(y)][int(x) : int(x) + int(run)] = bytes(int(run))
    return [b"".join(bytes([pixel]) * scale for pixel in row) for row in rows for _ in range(scale)]


def png(rows: list[bytes], path: Path) -> Path:
    """The rows as a grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    header = pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize("issuer", ["Acme Notes", "N", "Größe & Söhne 株式会社"])
def test_an_independent_reader_reads_it(issuer: str, tmp_path: Path):
    uri = totp.otpauth_uri(SEED, issuer, "ana.berg@acme.example")
    assert qr.read(png(picture(qr_svg(uri)), tmp_path / "code.png")) == uri


def test_the_longest_uri_is_still_read(tmp_path: Path):
    uri = totp.otpauth_uri(SEED, "株" * 200, "a" * 245 + "@b.example")
    assert qr.read(png(picture(qr_svg(uri), scale=4), tmp_path / "code.png")) == uri


def test_quiet_zone_is_white_and_four_modules_wide():
    """ISO/IEC 18004: the white is drawn, so that no dark page shows through."""
    rows = picture(qr_svg(totp.otpauth_uri(SEED, "Acme", "ana@acme.example")), scale=1)
    size = len(rows)
    for edge in range(4):
        assert set(rows[edge]) == set(rows[size - 1 - edge]) == {255}
        assert {row[edge] for row in rows} == {row[size - 1 - edge] for row in rows} == {255}
    assert rows[4][4] == rows[4][size - 5] == rows[size - 5][4] == 0
    assert {pixel for row in rows for pixel in row} == {0, 255}


def test_it_stands_in_a_strict_page_and_tells_no_secret():
    """No style attribute (CSP), sized by the style sheet, labelled; the secret is in no text (law 10)."""
    svg = qr_svg(totp.otpauth_uri(SEED, "Acme", "ana@acme.example"))
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own text
    assert root.tag == f"{SVG}svg"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "QR code to set up your authenticator app"
    assert not {"width", "height"} & set(root.attrib)
    for element in root.iter():
        assert element.tag in {f"{SVG}svg", f"{SVG}rect", f"{SVG}path"}
        assert not {"style", "class", "id"} & set(element.attrib)
        assert not (element.text or "").strip()
    assert "GEZD" not in svg
    assert "acme" not in svg.lower()
