"""Whether SAML can be spoken where a workspace's people come by it, and how long its certificates are dated."""

from nightlatch.cli.findings import Finding, ok, problem, warning
from nightlatch.instants import DAY, Duration
from nightlatch.sso import extra
from nightlatch.store import connections
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row

SOON: Duration = 30 * DAY
"""Before the day on a certificate: then the provider is likely to sign with another one."""


def saml(tx: Transaction) -> Finding:
    """The extra, and the certificates of every connection."""
    found = connections.of_kind(tx, connections.SAML)
    if not found:
        return ok("saml", "No workspace signs in by SAML.")
    if not extra.installed():
        return problem(
            "saml", f"{_names(found)} by SAML, and what that needs is not installed. Run: {extra.HOW}"
        )
    from nightlatch.sso.saml_metadata import provider_of

    ending = [
        row
        for row in found
        if provider_of(row.issuer, connections.settings_of(row)).expires_at() < tx.now + SOON
    ]
    if ending:
        return warning(
            "saml",
            f"{_names(ending)} by SAML with a certificate that is dated to end within 30 days, or before today. It is "
            "taken all the same; when the provider signs with a new one, its metadata has to be pasted again.",
        )
    return ok("saml", f"{_names(found)} by SAML; no certificate ends within 30 days.")


def _names(rows: list[Row]) -> str:
    slugs = sorted({row.slug for row in rows})
    shown = ", ".join(slugs[:5]) + (f" and {len(slugs) - 5} more" if len(slugs) > 5 else "")
    return f"People sign in to {shown}"
