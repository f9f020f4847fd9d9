"""Codes from an authenticator app: TOTP (RFC 6238) over HOTP (RFC 4226), SHA-1, 6 digits, 30 seconds.

These parameters and no others, because common apps silently ignore other ones and would show wrong codes.
"""

import hmac
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from unicodedata import category
from urllib.parse import quote

from nightlatch.authenticators.spelling import MalformedCode as MalformedCode
from nightlatch.authenticators.spelling import compact
from nightlatch.instants import SECOND, Duration, Instant

SEED_BYTES = 20
"""The length of the HMAC's output, as RFC 6238 section 5.1 and RFC 4226 R6 recommend: 160 bits."""

DIGITS = 6
STEP: Duration = 30 * SECOND

WINDOW = 1
"""Steps accepted on either side of now: one, no farther (RFC 6238 section 5.2)."""

DRIFT_WINDOW = 20
"""Steps on either side in which `drift` looks for a phone whose clock is wrong: ten minutes."""

_MODULUS = 10**DIGITS


class Outcome(Enum):
    """What a code turned out to be."""

    ACCEPTED = "accepted"
    REPLAYED = "replayed"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`step` is the time step that the code belongs to: to be remembered when accepted, None when wrong."""

    outcome: Outcome
    step: int | None


def new_seed(random: Callable[[int], bytes]) -> bytes:
    """A fresh seed of SEED_BYTES from `random`, which must be cryptographic (`secrets.token_bytes`)."""
    return random(SEED_BYTES)


def step_at(now: Instant) -> int:
    """The time step of an instant: whole half-minutes since the epoch. May exceed 32 bits (RFC 6238 section
    4.2).
    """
    return now // STEP


def code_at(seed: bytes, step: int) -> str:
    """The code that an app shows during `step` (RFC 4226 section 5.3): six digits, leading zeros kept."""
    digest = hmac.digest(seed, step.to_bytes(8, "big"), "sha1")
    offset = digest[19] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % _MODULUS:06d}"


def canonical(text: str) -> str:
    """The one form of an entered code: six ASCII digits.

    White space and hyphens are dropped, decimal digits of other scripts are mapped; anything else raises
    MalformedCode. Everything that stores, compares or counts codes takes this form.
    """
    code = text if len(text) == DIGITS and text.isascii() and text.isdigit() else compact(text)
    if not (code.isascii() and code.isdigit()):
        raise MalformedCode(None if code else 0)
    if len(code) != DIGITS:
        raise MalformedCode(len(code))
    return code


def verify(seed: bytes, code: str, now: Instant, highest_step: int | None) -> Verdict:
    """Judge a canonical code at `now`, where `highest_step` is the highest step ever accepted for this seed.

    Accepted is a code of this step or one beside it that is above `highest_step`; where it belongs to
    several, the highest counts, so that codes which happen to be equal are never spent twice. A code that
    only belongs to steps up to `highest_step` was used before, or is older than one that was: REPLAYED (RFC
    6238 section 5.2).
    """
    matches = _matches(seed, code, step_at(now), range(-WINDOW, WINDOW + 1))
    if not matches:
        return Verdict(Outcome.WRONG, None)
    step = max(matches)
    if highest_step is not None and step <= highest_step:
        return Verdict(Outcome.REPLAYED, step)
    return Verdict(Outcome.ACCEPTED, step)


def drift(seed: bytes, code: str, now: Instant) -> int | None:
    """How many steps the app's clock is off, when a wrong code is right for another moment; negative is
    behind.

    For enrolment only, where it tells the person about their own phone; at sign-in it would help somebody who
    guesses. None where the code belongs to no step within DRIFT_WINDOW, or to one that `verify` takes.
    """
    around = step_at(now)
    matches = _matches(seed, code, around, range(-DRIFT_WINDOW, DRIFT_WINDOW + 1))
    nearest = min((step - around for step in matches), key=abs, default=0)
    return None if abs(nearest) <= WINDOW else nearest


def _matches(seed: bytes, code: str, around: int, offsets: range) -> list[int]:
    # Every step is computed and compared in constant time whatever matched before.
    steps = [around + offset for offset in offsets if around + offset >= 0]
    return [step for step in steps if hmac.compare_digest(code_at(seed, step), code)]


def key_text(seed: bytes) -> str:
    """The seed as people copy it: base32 in capitals, without padding."""
    return b32encode(seed).decode("ascii").rstrip("=")


def grouped_key(seed: bytes) -> str:
    """The same in groups of four, for those who type it."""
    key = key_text(seed)
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def otpauth_uri(seed: bytes, issuer: str, account: str) -> str:
    """The Key URI that authenticator apps scan: `otpauth://totp/Issuer:account?secret=...&issuer=Issuer&...`.

    The issuer stands in the label and in the parameter, equal. Colons, which divide the label, and control
    characters become spaces; names too long for a code that a phone can still read are cut.
    """
    shown = _name(issuer, 240) or "Nightlatch"
    label = f"{shown}:{_name(account, 320) or 'account'}"
    return (
        f"otpauth://totp/{label}?secret={key_text(seed)}&issuer={shown}"
        f"&algorithm=SHA1&digits={DIGITS}&period={STEP // SECOND}"
    )


def _name(text: str, longest: int) -> str:
    """`text` percent-encoded, at most `longest` characters of it and never half a character."""
    readable = "".join(
        " " if character == ":" or category(character) == "Cc" else character for character in text
    )
    words = " ".join(readable.split())
    while len(encoded := quote(words, safe="")) > longest:
        words = words[: min(len(words) - 1, longest)].rstrip()
    return encoded
