"""Forms that the gate caught on their way: what was typed, kept sealed in the browser until it comes back."""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qsl

from nightlatch_client.cookies import FORM_SECONDS, Names
from nightlatch_client.sealed import Box

BODY_LIMIT = 64 * 1024
"""Bytes of a form that are read at most; a longer one is not kept."""
FIELD_LIMIT = 200
ROOM = 3000
"""Characters in one cookie. Proxies often refuse a Cookie header of more than 8 kB."""
_OPENED_LIMIT = 1024 * 1024
_SECRET = re.compile(
    r"pass(?!age|enger|port|ed|ing)|pwd|secret|cvv|cvc|(?:^|[\W_])(?:pin|otp)(?:$|[\W_])|one.?time",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form in their order. Of files and of fields that look like a password only the names."""

    fields: tuple[tuple[str, str], ...] = field(repr=False)
    files: tuple[str, ...] = ()
    passwords: tuple[str, ...] = ()
    multipart: bool = False


@dataclass(frozen=True, slots=True)
class Caught:
    """A form, where it was going, and whose it is."""

    form: Form
    target: str
    person: str
    at: int


def read_form(content_type: str, body: bytes) -> Form | None:
    """The form in a body; None where it is not one or too long to be kept."""
    if len(body) > BODY_LIMIT:
        return None
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() == "multipart/form-data":
        return _multipart(parameters, body)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELD_LIMIT, errors="strict"
        )
    except ValueError:
        return None
    return form_of(pairs)


def form_of(pairs: list[tuple[str, str]], files: tuple[str, ...] = (), *, multipart: bool = False) -> Form:
    """A form without what is not kept."""
    kept = tuple((name, value) for name, value in pairs if not _SECRET.search(name))
    secret = dict.fromkeys(name for name, _ in pairs if _SECRET.search(name))
    return Form(kept, files, tuple(secret), multipart)


def seal_form(box: Box, names: Names, caught: Caught) -> tuple[str, ...] | None:
    """The values of the cookies that keep it; None where it does not fit."""
    plain = json.dumps(asdict(caught), separators=(",", ":")).encode("utf-8", "backslashreplace")
    sealed = box.seal(names.form[0], zlib.compress(plain, 9))
    parts = tuple(sealed[start : start + ROOM] for start in range(0, len(sealed), ROOM))
    if len(parts) > len(names.form):
        return None
    return (f"{len(parts)}.{parts[0]}", *parts[1:])


def open_form(box: Box, names: Names, cookies: Mapping[str, str], now: float) -> Caught | None:
    """The form that a browser keeps; None where there is none, or none of ours, or none any more."""
    count, _, first = cookies.get(names.form[0], "").partition(".")
    if count not in ("1", "2"):
        return None
    rest = [cookies.get(name, "") for name in names.form[1 : int(count)]]
    squeezed = box.open(names.form[0], "".join((first, *rest)))
    if squeezed is None:
        return None
    found = json.loads(zlib.decompressobj().decompress(squeezed, _OPENED_LIMIT))  # sealed by us
    if found["at"] < now - FORM_SECONDS:
        return None
    inner = found["form"]
    pairs = tuple((name, value) for name, value in inner["fields"])
    form = Form(pairs, tuple(inner["files"]), tuple(inner["passwords"]), inner["multipart"])
    return Caught(form, found["target"], found["person"], found["at"])


def _multipart(parameters: str, body: bytes) -> Form | None:
    """A form as browsers send it (RFC 7578); anything odd is no form."""
    boundary = re.search(r'boundary="?([^";]{1,200})"?', parameters)
    if boundary is None:
        return None
    mark = b"\r\n--" + boundary[1].encode("latin-1", "replace")
    parts = (b"\r\n" + body).split(mark)
    if parts[0] not in (b"", b"\r\n") or not parts[-1].startswith(b"--") or len(parts) > FIELD_LIMIT + 2:
        return None
    pairs: list[tuple[str, str]] = []
    files: list[str] = []
    for part in parts[1:-1]:
        head, gap, content = part.partition(b"\r\n\r\n")
        name, file = _disposition(head)
        if not gap or name is None:
            return None
        if file is None:
            try:
                pairs.append((name, content.decode()))
            except UnicodeDecodeError:
                return None
        elif file or content:
            files.append(name)
    return form_of(pairs, tuple(dict.fromkeys(files)), multipart=True)


def _disposition(head: bytes) -> tuple[str | None, str | None]:
    """The name of a part, and of its file where it is one."""
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            found = dict(re.findall(r';\s*(name|filename)="([^"]*)"', value))
            names = {key: _unescaped(text) for key, text in found.items()}
            return names.get("name"), names.get("filename")
    return None, None


def _unescaped(text: str) -> str:
    """A name as it was before a browser wrote it into a header."""
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
