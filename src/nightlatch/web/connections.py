"""What pages and API of connections have in common: asking a provider who it is before it is written down."""

from nightlatch.policy import SsoRule
from nightlatch.refusals import invalid
from nightlatch.sso.identity import SsoError
from nightlatch.web.context import Context


async def checked_issuer(context: Context, issuer: str) -> str:
    """An issuer that names itself so, letter for letter, in its discovery document. Raises Refused (`invalid`)."""
    issuer = issuer.strip()
    discoveries = context.front.discoveries
    try:
        discoveries.fetcher.check(issuer, "The issuer")
        await discoveries.provider(issuer, context.now, anew=True)
    except SsoError as error:
        raise invalid("issuer", error.detail) from None
    return issuer


def rule_of(text: str) -> SsoRule:
    """One of the three rules. Raises Refused (`invalid`)."""
    try:
        return SsoRule(text)
    except ValueError:
        raise invalid("rule", "Choose one of the three.") from None
