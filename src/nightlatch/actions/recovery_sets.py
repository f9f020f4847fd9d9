"""Sets of recovery codes: each stands in for an authenticator app, and goes when it stands for nothing."""

from collections.abc import Sequence

from nightlatch.assurance import relied
from nightlatch.facts import Authenticator, Facts
from nightlatch.store import authenticators
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Method


def drop_orphaned(tx: Transaction, account_id: int, facts: Facts, bound: Sequence[Authenticator]) -> None:
    """Unbind every set that no workspace could use in an app's place. `bound`: what is still bound."""
    apps = [each for each in bound if each.method is not Method.RECOVERY_CODE]
    for each in bound:
        if each.method is Method.RECOVERY_CODE and not any(_stands_in(facts, each, app) for app in apps):
            authenticators.unbind(tx, each.id, account_id)


def _stands_in(facts: Facts, codes: Authenticator, app: Authenticator) -> bool:
    """Some workspace relies on both, or would, if the person came (back) to it."""
    if codes.reach.everywhere and app.reach.everywhere:
        return True
    places = {each.workspace for each in facts.teammates}
    for each in (codes, app):
        places |= each.reach.workspaces | each.accepted
    return any(relied(codes, place) and relied(app, place) for place in places)
