"""The shapes of passkeys in the API: WebAuthn's own JSON (Level 3, sections 5.1.8, 5.4 and 5.5).

What browsers answer may grow: fields that are not named here are let pass and never looked at.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nightlatch.authenticators.passkey_answers import MOST_BYTES, MOST_ID_BYTES
from nightlatch.web.api.models import Email, Id, Model

Base64Url = Annotated[str, Field(max_length=MOST_BYTES * 4 // 3, description="base64url without padding")]
CredentialId = Annotated[str, Field(max_length=MOST_ID_BYTES * 4 // 3 + 1, description="base64url")]
UserVerification = Literal["required", "preferred"]


class Lenient(BaseModel):
    """Of a browser's making."""

    model_config = ConfigDict(extra="ignore", strict=True)


class MadeResponse(Lenient):
    clientDataJSON: Base64Url  # noqa: N815
    attestationObject: Base64Url  # noqa: N815
    transports: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=20)] | None = None


class PasskeyMade(Lenient):
    """RegistrationResponseJSON."""

    id: CredentialId
    rawId: CredentialId  # noqa: N815
    type: Literal["public-key"]
    response: MadeResponse


class ShownResponse(Lenient):
    clientDataJSON: Base64Url  # noqa: N815
    authenticatorData: Base64Url  # noqa: N815
    signature: Base64Url
    userHandle: Annotated[str, Field(max_length=200)] | None = None  # noqa: N815


class PasskeyShown(Lenient):
    """AuthenticationResponseJSON."""

    id: CredentialId
    rawId: CredentialId  # noqa: N815
    type: Literal["public-key"]
    response: ShownResponse


class PasskeySignIn(PasskeyShown):
    """`remember`: as with a code, and at the second step alone."""

    remember: bool = False


class AskSignIn(Model):
    email: Email | None = None
    purpose: Literal["sign_in", "second_step"] | None = None


class AskNew(Model):
    name: Annotated[str, Field(max_length=200)] | None = None
    replaces: Id | None = None
    workspace: Annotated[str, Field(max_length=60)] | None = None


class Descriptor(Model):
    type: Literal["public-key"]
    id: str
    transports: list[str] | None = None


class RequestOptions(Model):
    """PublicKeyCredentialRequestOptionsJSON."""

    challenge: str
    timeout: int
    rpId: str  # noqa: N815
    allowCredentials: list[Descriptor]  # noqa: N815
    userVerification: UserVerification  # noqa: N815


class CreationOptions(Model):
    """PublicKeyCredentialCreationOptionsJSON."""

    rp: dict[str, str]
    user: dict[str, str]
    challenge: str
    pubKeyCredParams: list[dict[str, Any]]  # noqa: N815
    timeout: int
    excludeCredentials: list[Descriptor]  # noqa: N815
    authenticatorSelection: dict[str, Any]  # noqa: N815
    attestation: Literal["none"]
