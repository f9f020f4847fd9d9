"""Forms with a file in them: multipart/form-data (RFC 7578), small, read as text."""

from email.parser import BytesParser
from email.policy import HTTP

from nightlatch.refusals import Code, Refused

_MOST_PARTS = 50


def parse_multipart(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form, the last of each name; a file is its text. Raises Refused for what is no such form.

    What is not UTF-8 becomes U+FFFD, which whoever reads the field refuses in words; so does NUL.
    """
    header = content_type.encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + header + b"\r\n\r\n" + body)
    parts = message.get_payload()
    if not message.is_multipart() or not isinstance(parts, list) or len(parts) > _MOST_PARTS:
        raise Refused(Code.MALFORMED, "This form could not be read.")
    found: dict[str, str] = {}
    for part in parts:
        if isinstance(part, str):
            raise Refused(Code.MALFORMED, "This form could not be read.")
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise Refused(Code.MALFORMED, "This form could not be read.")
        found[name] = content.decode("utf-8", "replace").replace("\0", "\ufffd")
    return found
