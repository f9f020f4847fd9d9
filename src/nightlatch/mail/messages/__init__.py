"""Every message by its kind: plain values in, subject, text and HTML out.

The outbox keeps the kind and the values (JSON, sealed where they hold a link) and renders when it sends.
`check` belongs where a mail is put into the outbox, so that one that could never be rendered stops the
change it tells about.
"""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType, UnionType
from typing import get_args, get_type_hints

from nightlatch.mail.layout import Message
from nightlatch.mail.messages import (
    account,
    alerts,
    exceptions,
    helping,
    machines,
    products,
    resets,
    rollout,
    signing_on,
    strength,
    teams,
    two_factor,
)
from nightlatch.mail.messages.common import Common, Keeper

MESSAGES: Mapping[str, Callable[..., Message]] = MappingProxyType(
    {
        message.__name__: message
        for message in (
            teams.invitation,
            teams.mandate_enrol,
            teams.mandate_ready,
            teams.mandate_off,
            rollout.mandate_notice,
            rollout.mandate_reminder,
            rollout.mandate_link,
            rollout.mandate_summary,
            strength.strength_notice,
            strength.strength_ready,
            teams.teammate_removed,
            teams.role_changed,
            teams.break_glass,
            two_factor.ticket,
            two_factor.reset,
            two_factor.reset_notice,
            resets.reset_waiting,
            resets.reset_waiting_owner,
            resets.reset_done,
            resets.reset_ended,
            two_factor.authenticator_bound,
            two_factor.authenticator_replaced,
            two_factor.authenticator_unbound,
            two_factor.passkey_count_fell,
            two_factor.recovery_code_used,
            two_factor.recovery_codes_renewed,
            two_factor.second_factor_suspended,
            helping.help_requested,
            helping.help_contested,
            helping.help_asked,
            helping.contested,
            helping.authenticator_lost,
            helping.authenticator_found,
            helping.authenticator_accepted,
            alerts.second_step_missing,
            alerts.new_browser,
            alerts.notify_confirm,
            alerts.notify_added,
            alerts.notify_removed,
            account.sign_up,
            account.sign_up_known,
            account.password_reset,
            account.password_changed,
            account.password_reset_done,
            account.email_confirm,
            account.email_changing,
            account.email_changed,
            account.email_undone,
            account.sign_in_unblock,
            exceptions.exception_asked,
            exceptions.exception_granted,
            exceptions.exception_given,
            exceptions.exception_refused,
            exceptions.exception_ended,
            exceptions.exception_over,
            products.person_email_changed,
            products.mandate_ownerless,
            signing_on.sso_connected,
            signing_on.sso_disconnected,
            signing_on.connection_changed,
            signing_on.domain_missing,
            signing_on.sso_bypassed,
            machines.token_made,
            machines.service_account_suspended,
            machines.service_account_sponsor,
        )
    }
)

_AT_SENDING = frozenset(("product", "origin"))  # what the sender knows; everything else is kept in the outbox


def render(
    kind: str, values: Mapping[str, object], *, product: str, origin: str, keeper: Keeper | None = None
) -> Message:
    """The message of a kind from the values that were kept, in the name and with the origin configured now.

    `keeper`: the product that keeps the reader's account, whose name it speaks in.

    Raises KeyError for an unknown kind, TypeError for wrong values (naming arguments, never values),
    ValueError for a link that is not below `origin`.
    """
    check(kind, values)
    return MESSAGES[kind](product=product, origin=origin, keeper=keeper, **values)


def check(kind: str, values: Mapping[str, object]) -> None:
    """That `values` are what a kind takes: its own arguments, `when`, `where` and `agent`, and in a copy `copy_of`.

    Raises KeyError for an unknown kind, TypeError for a missing, unknown or wrongly typed argument.
    """
    taken, required = _SIGNATURES[kind]
    if missing := required - values.keys():
        raise TypeError(f"mail {kind}: {', '.join(sorted(missing))} missing")
    if unknown := values.keys() - taken.keys() - {"copy_of"}:
        raise TypeError(f"mail {kind}: {', '.join(sorted(unknown))} unknown")
    for argument, value in values.items():
        if type(value) not in taken.get(argument, (str,)):
            raise TypeError(f"mail {kind}: {argument} is a {type(value).__name__}")


def is_link(argument: str) -> bool:
    """Whether an argument of a mail is a link: kept as a path, sent below the configured origin."""
    return argument == "link" or argument.endswith("_link")


def needs_link(kind: str) -> bool:
    """Whether a kind cannot be written without its link."""
    return any(is_link(argument) for argument in _SIGNATURES[kind][1])


def arguments(kind: str) -> Mapping[str, tuple[type, ...]]:
    """The arguments a kind takes in the outbox, each with the types it may have."""
    return _SIGNATURES[kind][0]


def _signature(message: Callable[..., Message]) -> tuple[Mapping[str, tuple[type, ...]], frozenset[str]]:
    own = inspect.signature(message).parameters.values()
    hints = get_type_hints(message) | get_type_hints(Common)
    named = [parameter for parameter in own if parameter.kind is parameter.KEYWORD_ONLY]
    required = {parameter.name for parameter in named if parameter.default is parameter.empty}
    kept = ({parameter.name for parameter in named} | Common.__required_keys__) - _AT_SENDING
    types = {name: _types(hints[name]) for name in sorted(kept)}
    return MappingProxyType(types), frozenset((required | Common.__required_keys__) - _AT_SENDING)


def _types(hint: object) -> tuple[type, ...]:
    members = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return tuple(member for member in members if isinstance(member, type))


_SIGNATURES = {kind: _signature(message) for kind, message in MESSAGES.items()}
