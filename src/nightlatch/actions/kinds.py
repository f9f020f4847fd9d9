"""The actions that routes and transactions ask about, each written once.

A route names one of these; the action function inside the transaction asks about the very same one. Those with a scope
read, and are all that an API token ever reaches (tests/web/test_tokens_reach.py walks the whole table of routes).
"""

from nightlatch.decision import Action, Purpose
from nightlatch.facts import NOWHERE
from nightlatch.vocabulary import Permission, Scope

OPEN = Action(Purpose.OPEN)
SEE_SESSION = Action(Purpose.SESSION)
PRESENT_FIRST = Action(Purpose.PRESENT_FIRST)
PRESENT_SECOND = Action(Purpose.PRESENT_SECOND)
ASK_HELP = Action(Purpose.PRESENT_SECOND)
"""Whoever has shown the first factor may ask the admins for help: it is they who must not believe it at once."""
ASK_TICKET = Action(Purpose.TICKET)
ENROL = Action(Purpose.ENROL, fresh="authenticators")
REPLACE = Action(Purpose.ENROL, fresh="authenticators", recovery=True)
"""A recovery code lets its owner replace what was lost."""
READ_ACCOUNT = Action(Purpose.READ)
READ_TOKEN = Action(Purpose.SESSION, scope=Scope.ACCOUNT)
"""What an API token is. `GET /session` stays closed to it: who asks there takes the answer for a signed-in person's."""
READ_PROFILE = Action(Purpose.READ, scope=Scope.ACCOUNT)
"""Who one is; what is bound, and which sessions and tokens there are, is nothing for a token."""
MAKE_TOKEN = Action(Purpose.CHANGE, fresh="tokens", weighty=True)
"""Give it the reach of the token."""
END_TOKEN = Action(Purpose.CHANGE, reach=NOWHERE)
"""Ending one makes nothing weaker: no fresh proof."""
END_SESSIONS = Action(Purpose.CHANGE, reach=NOWHERE)
"""Ending sessions makes nothing weaker: no fresh proof."""
RENAME = Action(Purpose.CHANGE)
CHANGE_PASSWORD = Action(Purpose.CHANGE, fresh="account")
CHANGE_EMAIL = Action(Purpose.CHANGE, fresh="account", weighty=True)
CANCEL_EMAIL_CHANGE = Action(Purpose.CHANGE, reach=NOWHERE)
"""What is pending and is taken back changes nothing: no fresh proof."""
CHANGE_NOTIFY = Action(Purpose.CHANGE, fresh="account")
"""Who else is told what happens to an account: fresh proof, for adding and for removing."""
CHANGE_AUTHENTICATOR = Action(Purpose.CHANGE, fresh="authenticators")
"""Unbinding: give it the reach of what is unbound."""
CONNECT = Action(Purpose.CHANGE, fresh="authenticators")
"""Connecting an account with an identity at a workspace's provider: give it the reach of that workspace."""
JOIN = Action(Purpose.JOIN)
LEAVE = Action(Purpose.CHANGE)
CREATE_WORKSPACE = Action(Purpose.CHANGE)

ASK_AS_APP = Action(Purpose.APP)
"""What a product asks with its secret."""

PASS_PROXY = Action(Purpose.WORK)
"""What a proxy asks for with each request to a protected host; roles and freshness come from registration and proxy."""

USE = Action(Purpose.WORK)
READ_WORKSPACE = Action(Purpose.WORK, scope=Scope.WORKSPACE)
SEE_TEAM = Action(Purpose.WORK, scope=Scope.TEAMMATES)
INVITE = Action(Purpose.WORK, permission=Permission.INVITE)
READ_INVITATIONS = Action(Purpose.WORK, permission=Permission.INVITE, scope=Scope.INVITATIONS)
INVITE_MANAGERS = Action(Purpose.WORK, permission=Permission.INVITE, fresh="teammates", weighty=True)
"""Inviting owners or admins hands out power: fresh proof."""
CHANGE_ROLE = Action(Purpose.WORK, permission=Permission.MANAGE_TEAMMATES, fresh="teammates", weighty=True)
REMOVE_TEAMMATE = Action(
    Purpose.WORK, permission=Permission.MANAGE_TEAMMATES, fresh="teammates", weighty=True
)
LOOK_AT_TEAMMATE = Action(Purpose.WORK, permission=Permission.MANAGE_TEAMMATES)
"""What a role or a removal would mean: only the act itself asks for fresh proof."""
SEE_POLICY = Action(Purpose.WORK, scope=Scope.POLICY)
CHANGE_POLICY = Action(
    Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION, fresh="policy", weighty=True
)
SEE_CONNECTIONS = Action(Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION)
TEST_CONNECTION = Action(Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION)
"""A test signs nobody in and changes nothing."""
MANAGE_CONNECTIONS = Action(
    Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION, fresh="policy", weighty=True
)
"""Who vouches for people, and for what that counts: fresh proof."""
SEE_DOMAINS = Action(Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION)
MANAGE_DOMAINS = Action(
    Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION, fresh="policy", weighty=True
)
"""Whose addresses the workspace's provider may vouch for."""
REMIND = Action(Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION)
"""A reminder hands out nothing: no fresh proof."""
PREVIEW_POLICY = Action(Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION)
SEE_EXCEPTIONS = Action(Purpose.WORK, permission=Permission.MANAGE_TEAMMATES)
ASK_EXCEPTION = Action(Purpose.WORK, permission=Permission.MANAGE_TEAMMATES)
"""Nothing changes before another one agrees."""
APPROVE_EXCEPTION = Action(
    Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION, fresh="teammates", weighty=True
)
END_EXCEPTION = Action(Purpose.WORK, permission=Permission.MANAGE_TEAMMATES, fresh="teammates", weighty=True)
DISABLE_TWO_FACTOR = Action(Purpose.WORK, permission=Permission.RESET, fresh="teammates", weighty=True)
ACCEPT_AUTHENTICATOR = Action(Purpose.WORK, permission=Permission.RESET, fresh="teammates", weighty=True)
SETTLE_HELP = Action(Purpose.WORK, permission=Permission.RESET)
"""Setting a call for help aside makes nothing weaker: no fresh proof."""
APPROVE_RESET = Action(Purpose.WORK, permission=Permission.RESET, fresh="teammates", weighty=True)
STOP_RESET = Action(Purpose.WORK, permission=Permission.RESET, weighty=True)
"""Stopping one makes nothing weaker: no fresh proof."""
SEE_OWN_RESET = Action(Purpose.WORK)
STOP_OWN_RESET = Action(Purpose.WORK, fresh="authenticators", recovery=True)
"""Whoever can show a second factor is not locked out."""
LOOK_AT_RESET = Action(Purpose.WORK, permission=Permission.RESET)
READ_AUDIT = Action(Purpose.WORK, permission=Permission.READ_AUDIT, scope=Scope.AUDIT)
READ_EVIDENCE = Action(Purpose.WORK, permission=Permission.READ_AUDIT, scope=Scope.EVIDENCE)
SEE_SERVICES = Action(Purpose.WORK, permission=Permission.MANAGE_SERVICES)
MANAGE_SERVICES = Action(Purpose.WORK, permission=Permission.MANAGE_SERVICES, fresh="tokens", weighty=True)
"""A service account's token reads without a second step: making one asks for fresh proof."""
END_SERVICE = Action(Purpose.WORK, permission=Permission.MANAGE_SERVICES)
"""Ending what reads makes nothing weaker: no fresh proof."""
SEE_APPS = Action(Purpose.WORK, permission=Permission.MANAGE_APPS)
MANAGE_APPS = Action(Purpose.WORK, permission=Permission.MANAGE_APPS, fresh="apps", weighty=True)
"""A product's secret says who is who: registering, changing and removing products asks for fresh proof."""
