"""The actions that routes and transactions ask about, each written once.

A route names one of these; the action function inside the transaction asks about the very same one.
"""

from nightlatch.access import Action, Purpose
from nightlatch.facts import NOWHERE
from nightlatch.vocabulary import Permission

OPEN = Action(Purpose.OPEN)
SEE_SESSION = Action(Purpose.SESSION)
PRESENT_FIRST = Action(Purpose.PRESENT_FIRST)
PRESENT_SECOND = Action(Purpose.PRESENT_SECOND)
ASK_TICKET = Action(Purpose.TICKET)
ENROL = Action(Purpose.ENROL, fresh="authenticators")
REPLACE = Action(Purpose.ENROL, fresh="authenticators", recovery=True)
"""A recovery code lets its owner replace what was lost."""
READ_ACCOUNT = Action(Purpose.READ)
END_SESSIONS = Action(Purpose.CHANGE, reach=NOWHERE)
"""Ending sessions makes nothing weaker: no fresh proof."""
RENAME = Action(Purpose.CHANGE)
CHANGE_PASSWORD = Action(Purpose.CHANGE, fresh="account")
CHANGE_EMAIL = Action(Purpose.CHANGE, fresh="account", weighty=True)
CANCEL_EMAIL_CHANGE = Action(Purpose.CHANGE, reach=NOWHERE)
"""What is pending and is taken back changes nothing: no fresh proof."""
CHANGE_AUTHENTICATOR = Action(Purpose.CHANGE, fresh="authenticators")
"""Unbinding: give it the reach of what is unbound."""
JOIN = Action(Purpose.JOIN)
LEAVE = Action(Purpose.CHANGE)
CREATE_WORKSPACE = Action(Purpose.CHANGE)

ASK_AS_APP = Action(Purpose.APP)
"""What a product asks with its secret."""

PASS_PROXY = Action(Purpose.WORK)
"""What a proxy asks for with each request to a protected host; roles and freshness come from registration and proxy."""

USE = Action(Purpose.WORK)
SEE_TEAM = Action(Purpose.WORK)
INVITE = Action(Purpose.WORK, permission=Permission.INVITE)
INVITE_MANAGERS = Action(Purpose.WORK, permission=Permission.INVITE, fresh="teammates", weighty=True)
"""Inviting owners or admins hands out power: fresh proof."""
CHANGE_ROLE = Action(Purpose.WORK, permission=Permission.MANAGE_TEAMMATES, fresh="teammates", weighty=True)
REMOVE_TEAMMATE = Action(
    Purpose.WORK, permission=Permission.MANAGE_TEAMMATES, fresh="teammates", weighty=True
)
LOOK_AT_TEAMMATE = Action(Purpose.WORK, permission=Permission.MANAGE_TEAMMATES)
"""What a role or a removal would mean: only the act itself asks for fresh proof."""
SEE_POLICY = Action(Purpose.WORK)
CHANGE_POLICY = Action(
    Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION, fresh="policy", weighty=True
)
PREVIEW_POLICY = Action(Purpose.WORK, permission=Permission.MANAGE_AUTHENTICATION)
DISABLE_TWO_FACTOR = Action(Purpose.WORK, permission=Permission.RESET, fresh="teammates", weighty=True)
LOOK_AT_RESET = Action(Purpose.WORK, permission=Permission.RESET)
READ_AUDIT = Action(Purpose.WORK, permission=Permission.READ_AUDIT)
SEE_APPS = Action(Purpose.WORK, permission=Permission.MANAGE_APPS)
MANAGE_APPS = Action(Purpose.WORK, permission=Permission.MANAGE_APPS, fresh="apps", weighty=True)
"""A product's secret says who is who: registering, changing and removing products asks for fresh proof."""
