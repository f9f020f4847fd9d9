"""The QR code of an otpauth URI, as an SVG to stand inside a page."""

from itertools import groupby

QUIET_ZONE = 4
"""Modules of white on every side (ISO/IEC 18004); without them many phones do not find the code."""

_LABEL = "QR code to set up your authenticator app"


def qr_svg(uri: str) -> str:
    """An `<svg>` element: black on white with its quiet zone, error correction M, sized by the page's style
    sheet.

    The white is a rectangle in the picture, so that a dark page cannot show through and invert the code.
    There is no style attribute (a strict CSP forbids them), and the label never has the URI. About 15 ms of
    Python: run it in a thread.
    """
    # Loading segno takes longer than drawing: nothing but an enrolment should wait for it.
    import segno

    matrix = segno.make(uri, error="m", micro=False, boost_error=False).matrix
    size = len(matrix) + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" '
        f'aria-label="{_LABEL}" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path fill="#000" d="{_path(matrix)}"/></svg>'
    )


def _path(matrix: tuple[bytearray, ...]) -> str:
    """One closed rectangle for each run of dark modules."""
    drawn = []
    for y, row in enumerate(matrix, QUIET_ZONE):
        x = QUIET_ZONE
        for dark, modules in groupby(row):
            width = len(list(modules))
            if dark:
                drawn.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    return "".join(drawn)
