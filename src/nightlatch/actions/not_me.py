"""The link "this was not me" in mails that tell what was done to an account: it suspends, and never binds or unbinds.

It is a small file of its own, for the many actions that mail it; what it does is in `contesting`.
"""

from nightlatch.actions.tokens import new_token
from nightlatch.facts import AccountId, AuthenticatorId
from nightlatch.store import tickets
from nightlatch.store.engine import Transaction

PURPOSE = "not_me"


def not_me_link(tx: Transaction, account_id: AccountId, authenticator_id: AuthenticatorId | None) -> str:
    """The path of a new link, good for 72 hours and once. Older ones, about other things, stay good.

    `authenticator_id`: what the mail is about, and what the link suspends. None where it is about none: then the link
    ends the account's sessions, and the calls for help that are open.
    """
    token = new_token()
    tickets.create_link(
        tx,
        token_hash=token.hash,
        purpose=PURPOSE,
        account_id=account_id,
        reference=authenticator_id,
        keep_older=True,
    )
    return f"/not-me/{token.text}"
