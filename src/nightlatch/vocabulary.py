"""The words of the system: roles, permissions, methods, reasons, audit events. No logic but their order."""

from enum import IntEnum, StrEnum


class Role(StrEnum):
    """What a teammate is in a workspace."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"

    @property
    def rank(self) -> int:
        """Higher stands above lower: owner 3, admin 2, member 1."""
        return _RANKS[self]


_RANKS = {Role.OWNER: 3, Role.ADMIN: 2, Role.MEMBER: 1}


class Permission(StrEnum):
    """What a route in a workspace asks of a teammate, beside being one."""

    USE = "use"
    INVITE = "invite"
    MANAGE_TEAMMATES = "manage_teammates"
    MANAGE_AUTHENTICATION = "manage_authentication"
    RESET = "reset"
    READ_AUDIT = "read_audit"
    MANAGE_APPS = "manage_apps"
    """Registering products, which hand out who is who: owners alone."""
    MANAGE_SERVICES = "manage_services"
    """Service accounts, which read without being anybody."""


class Method(StrEnum):
    """How a proof was given, or what an authenticator is."""

    PASSWORD = "password"
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"
    PROVIDER = "provider"
    """A sign-in at a workspace's identity provider, or at the product that keeps the person."""
    TICKET = "ticket"
    """The mailbox, shown by a mailed single-use link."""
    INVITATION = "invitation"
    """The mailbox, shown by the invitation (or the sign-up) that made this very account, in the session it began."""
    REMEMBERED = "remembered"
    """No factor: this browser showed the second step before, where nothing requires it and it may be remembered."""


FIRST_FACTORS = frozenset({Method.PASSWORD, Method.PROVIDER, Method.PASSKEY})
SECOND_FACTORS = frozenset({Method.TOTP, Method.PASSKEY, Method.RECOVERY_CODE})
WITHOUT_AUTHENTICATOR = frozenset({Method.PASSWORD, Method.PROVIDER})
"""First factors that have no row among the authenticators; every other proof names the one it was given with."""
MAILBOX = frozenset({Method.TICKET, Method.INVITATION})
PHISHING_RESISTANT = frozenset({Method.PASSKEY})
"""Methods whose proof is worth nothing to a site in the middle (NIST SP 800-63B section 3.2.5)."""


class Evidence(IntEnum):
    """What the rule of a connection takes a sign-in at its provider for, beside the first factor."""

    NONE = 0
    EXEMPT = 1
    """The mandate does not ask those who came by it to set up 2FA."""
    SECOND = 2
    RESISTANT = 3
    """A second factor, and phishing-resistant."""


class Strength(IntEnum):
    """How strong a method is when fresh proof is asked for (design: "as strong as the strongest usable one")."""

    PASSWORD = 1
    RECOVERY_CODE = 2
    TOTP = 3
    PASSKEY = 4


STRENGTHS = {
    Method.PASSWORD: Strength.PASSWORD,
    Method.PROVIDER: Strength.PASSWORD,
    Method.RECOVERY_CODE: Strength.RECOVERY_CODE,
    Method.TOTP: Strength.TOTP,
    Method.PASSKEY: Strength.PASSKEY,
}


class Reason(StrEnum):
    """Why a decision came out as it did."""

    ALLOWED = "allowed"
    NO_SESSION = "no_session"
    NOT_A_TEAMMATE = "not_a_teammate"
    IDLE = "idle"
    FIRST_FACTOR = "first_factor"
    SECOND_FACTOR = "second_factor"
    SUSPENDED = "suspended"
    STRENGTH = "strength"
    """The workspace requires phishing-resistant proof, and this is another one."""
    MANDATE = "mandate"
    RESET = "reset"
    MAIL_PROOF = "mail_proof"
    PERMISSION = "permission"
    RECOVERY_LIMIT = "recovery_limit"
    FRESHNESS = "freshness"
    ELSEWHERE_CLOSED = "elsewhere_closed"
    KEPT_BY_APP = "kept_by_app"
    """The product that keeps this person changes it, not we."""
    KEPT_BY_PROVIDER = "kept_by_provider"
    """The account has no password: what is wider than its workspace's single sign-on is not to be had by it."""
    SCOPE = "scope"
    """An API token that does not include this, or something that no token may do."""
    OLDER_TOKEN = "older_token"
    """An API token from before a removal, a return or a reset in this workspace."""
    SPONSOR = "sponsor"
    """A service account that nobody answers for."""


class TicketPurpose(StrEnum):
    """Why a ticket was mailed."""

    SELF_SERVICE = "self_service"
    MANDATE = "mandate"
    RESET = "reset"


class Credential(StrEnum):
    """What a request presented."""

    NONE = "none"
    COOKIE = "cookie"
    BEARER = "bearer"
    APP = "app"
    """A product's secret."""
    HOST = "host"
    """The cookie of a protected host, good for that host's check alone."""
    TOKEN = "token"
    """An API token, told by its first letters: of a person, or of a service account. It is no session and no proof."""


class Scope(StrEnum):
    """What an API token may be let into: reading, and nothing else."""

    ACCOUNT = "account:read"
    WORKSPACE = "workspace:read"
    TEAMMATES = "teammates:read"
    INVITATIONS = "invitations:read"
    POLICY = "policy:read"
    AUDIT = "audit:read"
    EVIDENCE = "evidence:read"


class Event(StrEnum):
    """The audit events' names: `area.verb` in the past tense."""

    ACCOUNT_CREATED = "account.created"
    ACCOUNT_RENAMED = "account.renamed"
    ACCOUNT_UNLOCKED = "account.unlocked"
    APP_ADDED = "app.added"
    APP_CHANGED = "app.changed"
    APP_REMOVED = "app.removed"
    APP_SECRET_ENDED = "app.secret_ended"
    APP_SECRET_MADE = "app.secret_made"
    AUTHENTICATOR_ACCEPTED = "authenticator.accepted"
    """A workspace lets itself rely on what it did not rely on before."""
    AUTHENTICATOR_BOUND = "authenticator.bound"
    AUTHENTICATOR_CONTESTED = "authenticator.contested"
    """Its owner said by a mailed link that it was not them."""
    AUTHENTICATOR_COUNT_FELL = "authenticator.count_fell"
    """A passkey's counter did not rise, as it would where a copy was used in between."""
    AUTHENTICATOR_LOST = "authenticator.lost"
    AUTHENTICATOR_RENAMED = "authenticator.renamed"
    AUTHENTICATOR_REPLACED = "authenticator.replaced"
    AUTHENTICATOR_UNBOUND = "authenticator.unbound"
    AUTHENTICATOR_SUSPENDED = "authenticator.suspended"
    AUTHENTICATOR_LIFTED = "authenticator.lifted"
    BROWSER_FORGOTTEN = "browser.forgotten"
    BROWSER_REMEMBERED = "browser.remembered"
    """A workspace does not ask for the second step again there, for a time."""
    CLOCK_JUMPED = "clock.jumped"
    CONNECTION_ADDED = "connection.added"
    CONNECTION_CHANGED = "connection.changed"
    CONNECTION_EXEMPTION_ENDED = "connection.exemption_ended"
    """By itself, on its day."""
    CONNECTION_REMOVED = "connection.removed"
    CONNECTION_RULE_CHANGED = "connection.rule_changed"
    """What a sign-in by it counts for beside the first factor."""
    DATABASE_RESTORED = "database.restored"
    DOMAIN_ADDED = "domain.added"
    DOMAIN_LAPSED = "domain.lapsed"
    """Its record was not there any more, for a week."""
    DOMAIN_PROVED = "domain.proved"
    DOMAIN_REMOVED = "domain.removed"
    EMAIL_CHANGE_CANCELLED = "email.change_cancelled"
    EMAIL_CHANGE_REQUESTED = "email.change_requested"
    EMAIL_CHANGED = "email.changed"
    EMAIL_CHANGE_UNDONE = "email.change_undone"
    EXCEPTION_ASKED = "exception.asked"
    EXCEPTION_ENDED = "exception.ended"
    """Before its day: by somebody, or because the person set up, left or became an admin."""
    EXCEPTION_GRANTED = "exception.granted"
    EXCEPTION_REFUSED = "exception.refused"
    """Or taken back, or overtaken, before anybody agreed."""
    GRANT_MADE = "grant.made"
    """A product, or a protected host, was shown through the browser what was proved."""
    GRANT_REPLAYED = "grant.replayed"
    """A one-time code came twice: what was made of it has ended."""
    HELP_CLOSED = "help.closed"
    HELP_REQUESTED = "help.requested"
    """Somebody with a teammate's first factor says that the second is lost."""
    IDENTITY_CONNECTED = "identity.connected"
    """Somebody connected their account with an identity at the workspace's provider."""
    IDENTITY_DISCONNECTED = "identity.disconnected"
    INVITATION_ACCEPTED = "invitation.accepted"
    INVITATION_RESENT = "invitation.resent"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_SENT = "invitation.sent"
    INVITATIONS_DECLINED = "invitations.declined"
    INVITATIONS_WELCOME = "invitations.welcomed"
    NOTIFY_ADDRESS_ADDED = "notify_address.added"
    NOTIFY_ADDRESS_CONFIRMED = "notify_address.confirmed"
    NOTIFY_ADDRESS_REMOVED = "notify_address.removed"
    KEYS_ROTATED = "keys.rotated"
    MANDATE_OWNERLESS = "mandate.ownerless"
    """The product took away the last owner who has 2FA: the mandate stays, and the operator opens."""
    MANDATE_SCHEDULED = "mandate.scheduled"
    MANDATE_STRENGTH_SCHEDULED = "mandate.strength_scheduled"
    """From a date on, a passkey alone will do."""
    MANDATE_STRENGTHENED = "mandate.strengthened"
    """A passkey alone does."""
    MANDATE_TURNED_OFF = "mandate.turned_off"
    MANDATE_TURNED_ON = "mandate.turned_on"
    MANDATE_WEAKENED = "mandate.weakened"
    """Any second step does again."""
    PASSWORD_CHANGED = "password.changed"
    PASSWORD_RESET = "password.reset"
    PASSWORD_RESET_REQUESTED = "password.reset_requested"
    POLICY_CHANGED = "policy.changed"
    RECOVERY_CODE_USED = "recovery_code.used"
    RECOVERY_CODES_RENEWED = "recovery_codes.renewed"
    RESET_COMPLETED = "reset.completed"
    SERVICE_ACCOUNT_ADDED = "service_account.added"
    SERVICE_ACCOUNT_CHANGED = "service_account.changed"
    SERVICE_ACCOUNT_REMOVED = "service_account.removed"
    SERVICE_ACCOUNT_RESUMED = "service_account.resumed"
    SERVICE_ACCOUNT_SUSPENDED = "service_account.suspended"
    """Its sponsor is no teammate any more."""
    SESSION_ENDED = "session.ended"
    SESSIONS_ENDED = "session.all_ended"
    """The operator ended every session, token and grant, of the installation or for one workspace."""
    SIGN_IN_FAILED = "sign_in.failed"
    SIGN_IN_HALF_DONE = "sign_in.half_done"
    """The password was right; the second step is still to come."""
    SIGN_IN_SUCCEEDED = "sign_in.succeeded"
    SIGN_IN_UNBLOCKED = "sign_in.unblocked"
    SIGN_UP_REQUESTED = "sign_up.requested"
    SECOND_STEP_FAILED = "second_step.failed"
    SSO_BYPASSED = "sso.bypassed"
    """An owner came in by password where single sign-on is required: the emergency door."""
    SSO_REFUSED = "sso.refused"
    """Somebody came back from the provider and was let in by nothing of it."""
    SSO_REQUIRED = "sso.required"
    SSO_UNREQUIRED = "sso.unrequired"
    STEP_UP_SUCCEEDED = "step_up.succeeded"
    TEAMMATE_CAME_BY_SSO = "teammate.came_by_sso"
    """By a connection whose rule takes that for enough without 2FA of their own; or by one no longer."""
    TEAMMATE_CHANGED = "teammate.changed"
    """The name or the e-mail address that this workspace knows a teammate by."""
    TEAMMATE_JOINED = "teammate.joined"
    TEAMMATE_LEFT = "teammate.left"
    TEAMMATE_REMINDED = "teammate.reminded"
    TEAMMATE_REMOVED = "teammate.removed"
    TEAMMATE_RESET = "teammate.reset"
    TEAMMATE_RESET_APPROVED = "teammate.reset_approved"
    """A second owner agreed: it was done at once."""
    TEAMMATE_RESET_CANCELLED = "teammate.reset_cancelled"
    """It ended by itself, was withdrawn, or the person showed a right code."""
    TEAMMATE_RESET_RENEWED = "teammate.reset_renewed"
    TEAMMATE_RESET_REQUESTED = "teammate.reset_requested"
    """It waits, announced to the person and every owner."""
    TEAMMATE_RESET_STOPPED = "teammate.reset_stopped"
    """An owner stopped it, or the person did by the mailed page."""
    TEAMMATE_ROLE_CHANGED = "teammate.role_changed"
    TEAMMATE_SECURED = "teammate.secured"
    """Something this workspace relies on came to be."""
    TEAMMATE_UNSECURED = "teammate.unsecured"
    """The last thing this workspace relied on is gone."""
    TICKET_REDEEMED = "ticket.redeemed"
    TICKET_REFUSED = "ticket.refused"
    TICKET_SENT = "ticket.sent"
    TOKEN_ENDED = "token.ended"
    TOKEN_MADE = "token.made"
    WORKSPACE_CREATED = "workspace.created"
    WORKSPACE_RENAMED = "workspace.renamed"
