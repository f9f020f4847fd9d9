"""Passkeys: every check of what a browser answers (WebAuthn Level 3, sections 7.1 and 7.2). Pure.

The library `webauthn` reads CBOR and verifies signatures; it is loaded when first needed (`load`), since it costs a
quarter of a second. What it does not check, or is vague about, is checked here first: docs/decisions names each.
Attestation is not asked for, so nothing is believed about the make of an authenticator.
"""

import hmac
import struct
from dataclasses import dataclass
from hashlib import sha256

from nightlatch.authenticators.passkey_answers import Made, Shown, client_data_of
from nightlatch.authenticators.passkey_asking import (
    ALGORITHMS,
    ED25519,
    ES256,
    RS256,
    Malformed,
    Site,
    from_base64url,
    to_base64url,
)

FORMATS = ("none", "packed")
"""What comes when no attestation is asked for: none, or the authenticator's own (section 5.4.7)."""

_UP, _UV, _BE, _BS, _AT = 0x01, 0x04, 0x08, 0x10, 0x40


class Wrong(Exception):
    """A check failed. `why` says which, in a word for the audit log; no value is quoted."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What is kept of one that was made (section 4, "credential record")."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    verified: bool
    backup_eligible: bool
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a showing is judged by."""

    public_key: bytes
    sign_count: int
    backup_eligible: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """A right showing."""

    sign_count: int
    """The highest that was ever seen."""
    verified: bool
    """It verified its user: first and second factor in one."""
    backed_up: bool
    count_fell: bool
    """Its counter did not rise, as it would where a copy was used in between (section 6.1.1)."""


def load() -> None:
    """Load the library. Never call it first in a transaction or on the event loop."""
    import webauthn  # noqa: F401


def check_made(made: Made, site: Site, challenge: bytes) -> NewPasskey:
    """Every check of section 7.1 that needs no database. Raises Wrong.

    Left to the caller: that the challenge is one of ours and unspent, and that nobody has this credential id.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers import parse_attestation_object
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    _check_client_data(made.client_data, site, challenge, "webauthn.create")
    try:
        found = parse_attestation_object(made.attestation)
        data = found.auth_data.attested_credential_data
        raw = _authenticator_data(made.attestation)
    except Exception:  # whatever a stranger's bytes make it raise
        raise Wrong("malformed") from None
    flags, _ = _check_authenticator_data(raw, site)
    if data is None or not flags & _AT or data.credential_id != made.credential_id:
        raise Wrong("credential_id")
    if found.fmt not in FORMATS:
        raise Wrong("attestation")
    _check_key(data.credential_public_key)
    try:
        verified = verify_registration_response(
            credential={
                "id": to_base64url(made.credential_id),
                "rawId": to_base64url(made.credential_id),
                "type": "public-key",
                "response": {
                    "clientDataJSON": to_base64url(made.client_data),
                    "attestationObject": to_base64url(made.attestation),
                },
            },
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in ALGORITHMS],
        )
    except Exception:
        raise Wrong("attestation") from None
    return NewPasskey(
        credential_id=made.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        transports=made.transports,
        verified=bool(flags & _UV),
        backup_eligible=bool(flags & _BE),
        backed_up=bool(flags & _BS),
    )


def check_shown(
    shown: Shown, site: Site, challenge: bytes, kept: Kept, *, need_verified: bool = False
) -> Verdict:
    """Every check of section 7.2 that needs no database. Raises Wrong.

    Left to the caller: that the challenge is one of ours and unspent, that this very credential was asked for, and
    whose it is. A counter that did not rise is told, not refused.
    """
    from webauthn import verify_authentication_response

    _check_client_data(shown.client_data, site, challenge, "webauthn.get")
    flags, count = _check_authenticator_data(shown.authenticator_data, site)
    if need_verified and not flags & _UV:
        raise Wrong("user_verification")
    if bool(flags & _BE) is not kept.backup_eligible:
        raise Wrong("backup")
    try:
        verify_authentication_response(
            credential={
                "id": to_base64url(shown.credential_id),
                "rawId": to_base64url(shown.credential_id),
                "type": "public-key",
                "response": {
                    "clientDataJSON": to_base64url(shown.client_data),
                    "authenticatorData": to_base64url(shown.authenticator_data),
                    "signature": to_base64url(shown.signature),
                },
            },
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=kept.public_key,
            credential_current_sign_count=0,  # it would refuse; what to do about a counter is decided here
            require_user_verification=need_verified,
        )
    except Exception:
        raise Wrong("signature") from None
    return Verdict(
        sign_count=max(count, kept.sign_count),
        verified=bool(flags & _UV),
        backed_up=bool(flags & _BS),
        count_fell=bool(count or kept.sign_count) and count <= kept.sign_count,
    )


def belongs(shown: Shown, user_handle: bytes | None, *, discovered: bool) -> bool:
    """Whether the user handle in a showing is that of the account whose passkey it is (section 7.2, step 6).

    `discovered`: the browser was not told which passkeys to look for, so it has to say whose it found.
    """
    if shown.user_handle is None:
        return not discovered
    return user_handle is not None and hmac.compare_digest(shown.user_handle, user_handle)


DECOY = Kept(
    bytes.fromhex(
        "a5010203262001215820"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "225820"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
    0,
    backup_eligible=False,
)
"""What a credential id that nobody has is judged by, so that it takes as long: the base point of P-256."""


def _check_client_data(raw: bytes, site: Site, challenge: bytes, kind: str) -> None:
    """Type, challenge and origin; and never inside of another site's page (`crossOrigin`, `topOrigin`)."""
    try:
        data = client_data_of(raw)
        said = from_base64url(str(data.get("challenge", "")))
    except Malformed:
        raise Wrong("malformed") from None
    if data.get("type") != kind:
        raise Wrong("type")
    if not hmac.compare_digest(said, challenge):
        raise Wrong("challenge")
    if data.get("origin") != site.origin:
        raise Wrong("origin")
    if data.get("crossOrigin", False) is not False or "topOrigin" in data:
        raise Wrong("cross_origin")


def _check_authenticator_data(raw: bytes, site: Site) -> tuple[int, int]:
    """Flags and counter (section 6.1): made for this site, with the user there, and backed up only if it can be."""
    if len(raw) < 37:
        raise Wrong("malformed")
    rp_id_hash, flags, count = struct.unpack_from(">32sBI", raw)
    if not hmac.compare_digest(rp_id_hash, sha256(site.rp_id.encode()).digest()):
        raise Wrong("rp_id")
    if not flags & _UP:
        raise Wrong("user_presence")
    if flags & _BS and not flags & _BE:
        raise Wrong("backup")
    return flags, count


def _authenticator_data(attestation: bytes) -> bytes:
    from webauthn.helpers import parse_cbor

    found = parse_cbor(attestation)["authData"]
    if not isinstance(found, bytes):
        raise TypeError
    return found


def _check_key(public_key: bytes) -> None:
    """Of an algorithm that was offered, on that algorithm's own curve (section 5.8.5), and of a bearable size."""
    from webauthn.helpers import parse_cbor

    try:
        key = parse_cbor(public_key)
        shape = (key[3], key[1], key.get(-1) if key[3] != RS256 else None)
        fits = shape in ((ED25519, 1, 6), (ES256, 2, 1)) or (
            shape == (RS256, 3, None) and 256 <= len(key[-1]) <= 1024 and len(key[-2]) <= 4
        )
    except Exception:
        raise Wrong("malformed") from None
    if not fits:
        raise Wrong("algorithm")
