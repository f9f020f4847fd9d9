"""The one table of routes."""

from nightlatch.web import authz, authz_host, authz_origin
from nightlatch.web.api import account as api_account
from nightlatch.web.api import app as api_app
from nightlatch.web.api import app_registration as api_app_registration
from nightlatch.web.api import audit as api_audit
from nightlatch.web.api import authenticators as api_authenticators
from nightlatch.web.api import connections as api_connections
from nightlatch.web.api import domains as api_domains
from nightlatch.web.api import evidence as api_evidence
from nightlatch.web.api import exceptions as api_exceptions
from nightlatch.web.api import help as api_help
from nightlatch.web.api import invitations as api_invitations
from nightlatch.web.api import openapi
from nightlatch.web.api import passkeys as api_passkeys
from nightlatch.web.api import policy as api_policy
from nightlatch.web.api import remembered as api_remembered
from nightlatch.web.api import reminding as api_reminding
from nightlatch.web.api import resets as api_resets
from nightlatch.web.api import saml_connections as api_saml_connections
from nightlatch.web.api import service_accounts as api_service_accounts
from nightlatch.web.api import sign_in as api_sign_in
from nightlatch.web.api import sign_up as api_sign_up
from nightlatch.web.api import teammates as api_teammates
from nightlatch.web.api import tokens as api_tokens
from nightlatch.web.api import workspaces as api_workspaces
from nightlatch.web.pages import accepting as page_accepting
from nightlatch.web.pages import api_tokens as page_api_tokens
from nightlatch.web.pages import apps as page_apps
from nightlatch.web.pages import audit as page_audit
from nightlatch.web.pages import authentication as page_authentication
from nightlatch.web.pages import authentication_files as page_authentication_files
from nightlatch.web.pages import authentication_strength as page_authentication_strength
from nightlatch.web.pages import authentication_turn as page_authentication_turn
from nightlatch.web.pages import (
    brand_files,
    emails,
    health,
    invitations,
    lift,
    never_again,
    notifications,
    passwords,
    product,
    set_up,
    settings,
    sign_up,
    snooze,
    tickets,
    workspaces,
)
from nightlatch.web.pages import connection as page_connection
from nightlatch.web.pages import connections as page_connections
from nightlatch.web.pages import domains as page_domains
from nightlatch.web.pages import evidence as page_evidence
from nightlatch.web.pages import exceptions as page_exceptions
from nightlatch.web.pages import help_requests as page_help_requests
from nightlatch.web.pages import invite as page_invite
from nightlatch.web.pages import invite_sheet as page_invite_sheet
from nightlatch.web.pages import lost as page_lost
from nightlatch.web.pages import not_me as page_not_me
from nightlatch.web.pages import passkeys as page_passkeys
from nightlatch.web.pages import progress as page_progress
from nightlatch.web.pages import recover as page_recover
from nightlatch.web.pages import reminding as page_reminding
from nightlatch.web.pages import reset_stop as page_reset_stop
from nightlatch.web.pages import resets as page_resets
from nightlatch.web.pages import saml as page_saml
from nightlatch.web.pages import saml_connection as page_saml_connection
from nightlatch.web.pages import service_accounts as page_service_accounts
from nightlatch.web.pages import sign_in as page_sign_in
from nightlatch.web.pages import sso as page_sso
from nightlatch.web.pages import step_up as page_step_up
from nightlatch.web.pages import team as page_team
from nightlatch.web.pages import team_member as page_team_member
from nightlatch.web.routes import Route

ROUTES: list[Route] = [
    *health.ROUTES,
    *brand_files.ROUTES,
    *page_sign_in.ROUTES,
    *page_recover.ROUTES,
    *page_not_me.ROUTES,
    *page_step_up.ROUTES,
    *page_sso.ROUTES,
    *page_saml.ROUTES,
    *page_connections.ROUTES,
    *page_connection.ROUTES,
    *page_saml_connection.ROUTES,
    *page_passkeys.ROUTES,
    *page_team.ROUTES,
    *page_exceptions.ROUTES,
    *page_invite.ROUTES,
    *page_invite_sheet.ROUTES,
    *page_reminding.ROUTES,
    *page_team_member.ROUTES,
    *page_help_requests.ROUTES,
    *page_accepting.ROUTES,
    *page_lost.ROUTES,
    *page_resets.ROUTES,
    *page_reset_stop.ROUTES,
    *page_authentication.ROUTES,
    *page_authentication_turn.ROUTES,
    *page_authentication_strength.ROUTES,
    *page_authentication_files.ROUTES,
    *page_domains.ROUTES,
    *page_progress.ROUTES,
    *snooze.ROUTES,
    *page_apps.ROUTES,
    *page_service_accounts.ROUTES,
    *page_audit.ROUTES,
    *page_evidence.ROUTES,
    *set_up.ROUTES,
    *tickets.ROUTES,
    *invitations.ROUTES,
    *sign_up.ROUTES,
    *passwords.ROUTES,
    *emails.ROUTES,
    *lift.ROUTES,
    *settings.ROUTES,
    *notifications.ROUTES,
    *never_again.ROUTES,
    *page_api_tokens.ROUTES,
    *workspaces.ROUTES,
    *product.ROUTES,
    *api_sign_in.ROUTES,
    *api_sign_up.ROUTES,
    *api_account.ROUTES,
    *api_remembered.ROUTES,
    *api_authenticators.ROUTES,
    *api_passkeys.ROUTES,
    *api_help.ROUTES,
    *api_tokens.ROUTES,
    *api_workspaces.ROUTES,
    *api_policy.ROUTES,
    *api_reminding.ROUTES,
    *api_teammates.ROUTES,
    *api_resets.ROUTES,
    *api_invitations.ROUTES,
    *api_exceptions.ROUTES,
    *api_domains.ROUTES,
    *api_saml_connections.ROUTES,
    *api_service_accounts.ROUTES,
    *api_connections.ROUTES,
    *api_app_registration.ROUTES,
    *api_audit.ROUTES,
    *api_evidence.ROUTES,
    *api_app.ROUTES,
    *openapi.ROUTES,
    *authz_origin.ROUTES,
    *authz.ROUTES,
    *authz_host.ROUTES,
]


def all_routes(*, demo: bool) -> list[Route]:
    """Every route of this process. The demo's own exist in a demo alone."""
    if not demo:
        return ROUTES
    from nightlatch.web.pages import demo as demo_pages

    return [*ROUTES, *demo_pages.ROUTES]
