"""The one layout of every mail: a letter's parts become a text that stands on its own and the same in HTML.

The HTML has no table, no picture, no script, nothing fetched and no inline style: one constant style sheet
in the head, so that a page showing it can allow exactly that sheet by its hash. Programs that drop the
sheet show a plain, readable page.
"""

import re
import textwrap
from dataclasses import dataclass
from html import escape

_WIDTH = 72
_NEVER = "No more invitations to this address, from anybody here"
_REST_OF_LINK = re.compile(r"[A-Za-z0-9._~:/?#&=%+-]+")
_DOT_OR_AT = re.compile(r"(?<=\S)([.@])(?=\S)")


@dataclass(frozen=True, slots=True)
class Message:
    """A finished mail without its envelope."""

    subject: str
    text: str
    html: str
    unsubscribe: str = ""
    """The link for List-Unsubscribe (RFC 8058), in mails that people may not want."""


@dataclass(frozen=True, slots=True)
class Button:
    """The one link of a mail: straight after the opening, or `last`, where it is only the way to look into
    the matter."""

    label: str
    link: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says, as plain text: paragraphs, at most one button, what happened (label, value), and
    what to do if it was not the reader."""

    product: str
    subject: str
    """The heading too."""
    opening: tuple[str, ...]
    button: Button | None = None
    notes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    not_you: str = ""
    through: str = ""
    """The installation by which `product` looks after 2FA, where that is another's."""
    unsubscribe: str = ""
    """A second link, small and last: never again."""


def compose(letter: Letter) -> Message:
    """The mail a letter makes. Text and HTML say the same, in the same order."""
    return Message(letter.subject, _text(letter), _html(letter), letter.unsubscribe)


def checked_link(link: str, origin: str) -> str:
    """`link`, which must be one of our own.

    Raises ValueError (naming neither) where it is not below `origin` or holds anything but the visible
    ASCII of a URL: a link made from a forged Host header, or broken over two lines, must never be mailed.
    """
    base = origin.rstrip("/") + "/"
    if not link.startswith(base) or not _REST_OF_LINK.fullmatch(link, len(base)):
        raise ValueError("a mail may only hold a link of this installation")
    return link


def _footer(letter: Letter) -> str:
    sender = (
        f"{letter.product} uses {letter.through} for 2FA, which sent this."
        if letter.through
        else f"Sent by {letter.product}."
    )
    return (
        f"{sender} Nobody will ever ask you for a password or a code by mail, phone "
        "or chat. This mailbox is not read."
    )


def _text(letter: Letter) -> str:
    button = [f"{letter.button.label}:\n{letter.button.link}"] if letter.button else []
    last = bool(letter.button and letter.button.last)
    width = max((len(label) for label, _ in letter.facts), default=0) + 1
    blocks = [
        _wrapped(letter.subject),
        *map(_wrapped, letter.opening),
        *([] if last else button),
        *map(_wrapped, letter.notes),
        "\n".join(_wrapped(f"{label + ':':<{width}} {value}", width + 1) for label, value in letter.facts),
        _wrapped(letter.not_you),
        *(button if last else []),
        f"{_NEVER}:\n{letter.unsubscribe}" if letter.unsubscribe else "",
        "-- \n" + _wrapped(_footer(letter)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _wrapped(paragraph: str, indent: int = 0) -> str:
    return "\n".join(
        textwrap.wrap(
            paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent=" " * indent
        )
    )


def _html(letter: Letter) -> str:
    button = _button(letter.button) if letter.button else ""
    last = bool(letter.button and letter.button.last)
    facts = "".join(
        f"<dt>{_escaped(label)}</dt><dd>{_escaped(value)}</dd>\n" for label, value in letter.facts
    )
    body = [
        f"<h1>{_escaped(letter.subject)}</h1>\n",
        *map(_paragraph, letter.opening),
        "" if last else button,
        *map(_paragraph, letter.notes),
        f"<dl>\n{facts}</dl>\n" if facts else "",
        f'<p class="not-you">{_escaped(letter.not_you)}</p>\n' if letter.not_you else "",
        button if last else "",
        _never(letter.unsubscribe) if letter.unsubscribe else "",
    ]
    return _PAGE.format(
        title=escape(letter.subject),
        style=STYLE,
        product=_escaped(letter.product),
        body="".join(body),
        footer=_escaped(_footer(letter)),
    )


def _button(button: Button) -> str:
    link = escape(button.link)
    return (
        f'<p><a class="button" href="{link}">{_escaped(button.label)}</a></p>\n'
        f'<p class="link">If the button does nothing, copy this address:<br><a href="{link}">{link}</a></p>\n'
    )


def _never(link: str) -> str:
    return f'<p class="link">{_NEVER}:<br><a href="{escape(link)}">{escape(link)}</a></p>\n'


def _paragraph(text: str) -> str:
    return f"<p>{_escaped(text)}</p>\n"


def _escaped(text: str) -> str:
    # Markup inside an address or a dotted name keeps mail programs from making a link of it; it copies as
    # it reads.
    return _DOT_OR_AT.sub(r"<span>\1</span>", escape(text))


STYLE = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 24px 12px; background: #eef0f4; color: #1b2230;
  font: 16px/1.55 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
.sheet { max-width: 560px; margin: 0 auto; }
.card { padding: 28px; background: #ffffff; border: 1px solid #d9dee7; border-radius: 12px; }
.product { margin: 0 0 14px; padding: 0 4px; font-weight: 600; color: #4a5568; }
h1 { margin: 0 0 16px; font-size: 22px; line-height: 1.3; overflow-wrap: anywhere; }
p { margin: 0 0 16px; overflow-wrap: anywhere; }
.button { display: inline-block; margin: 4px 0; padding: 12px 22px; border-radius: 8px;
  background: #1f2c66; color: #ffffff; font-weight: 600; text-decoration: none; }
.link { font-size: 13px; color: #4a5568; }
.link a { color: #1f2c66; word-break: break-all; }
dl { margin: 0 0 16px; padding: 14px 16px; border-radius: 8px; background: #f4f6fa; font-size: 14px; }
dt { color: #4a5568; }
dd { margin: 0 0 8px; overflow-wrap: anywhere; }
dd:last-child { margin-bottom: 0; }
.not-you { padding-left: 14px; border-left: 3px solid #c08a2d; }
.card > :last-child { margin-bottom: 0; }
.footer { margin: 16px 4px 0; font-size: 13px; color: #4a5568; }
@media (min-width: 481px) {
  dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 16px; }
  dd { margin: 0; }
}
@media (max-width: 480px) {
  body { padding: 12px 8px; }
  .card { padding: 20px 16px; }
  .button { display: block; text-align: center; }
}
@media (prefers-color-scheme: dark) {
  body { background: #0f1320; color: #e6eaf2; }
  .card { background: #1a2030; border-color: #2c3548; }
  .product, .link, dt, .footer { color: #aab4c6; }
  .button { background: #aebcff; color: #0f1320; }
  .link a { color: #aebcff; }
  dl { background: #222a3c; }
  .not-you { border-left-color: #e3b566; }
}
"""

_PAGE = """<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div class="sheet">
<p class="product">{product}</p>
<div class="card">
{body}</div>
<p class="footer">{footer}</p>
</div>
</body>
</html>
"""
