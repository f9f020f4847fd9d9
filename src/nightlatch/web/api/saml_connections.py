"""A workspace's connections by SAML; rule, removal and the rest are as for every connection."""

from nightlatch.actions import kinds
from nightlatch.actions.connections import Connection
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.refusals import Code
from nightlatch.web import saml, saml_connections
from nightlatch.web.answers import Answer
from nightlatch.web.api import saml_models as shapes
from nightlatch.web.context import Context
from nightlatch.web.routes import LARGE_BODY_LIMIT, Route, api
from nightlatch.web.saml_connections import Typed


def _shown(context: Context, each: Connection) -> shapes.SamlConnection:
    service = saml.service_of(context.front.config, each.workspace_id)
    return shapes.SamlConnection.model_construct(
        id=id_text(each.id),
        name=each.name,
        issuer=each.issuer,
        sign_in_url=each.settings["sign_in_url"],
        certificates=[
            shapes.SamlCertificate.model_construct(sha256=found.fingerprint, ends_at=to_text(found.ends_at))
            for found in saml_connections.certificates(each.settings)
        ],
        subject_attribute=each.settings.get("subject_attribute", ""),
        email_attribute=each.settings.get("email_attribute", ""),
        joins=each.joins,
        entity_id=service.entity_id,
        acs=service.answers_to,
    )


async def read(context: Context) -> Answer:
    return Answer(_shown(context, await saml_connections.read(context, context.id())))


async def add(context: Context, body: shapes.NewSamlConnection) -> Answer:
    typed = Typed(body.metadata, body.metadata_url, body.subject_attribute, body.email_attribute)
    added = await saml_connections.add(context, name=body.name, typed=typed, joins=body.joins)
    return Answer(_shown(context, added), 201)


async def change(context: Context, body: shapes.SamlChange) -> Answer:
    typed = Typed(body.metadata, body.metadata_url, body.subject_attribute, body.email_attribute)
    return Answer(_shown(context, await saml_connections.change(context, context.id(), typed)))


_ALL = "/workspaces/{slug}/connections"
_ONE = f"{_ALL}/{{id}}/saml"

ROUTES: list[Route] = [
    api(
        "POST",
        f"{_ALL}/saml",
        kinds.MANAGE_CONNECTIONS,
        add,
        body=shapes.NewSamlConnection,
        answer=shapes.SamlConnection,
        status=201,
        summary="Add a connection by SAML, by the provider's metadata; its rule is to ask",
        codes=(Code.CONFLICT,),
        body_limit=LARGE_BODY_LIMIT,
    ),
    api(
        "GET",
        _ONE,
        kinds.SEE_CONNECTIONS,
        read,
        answer=shapes.SamlConnection,
        summary="What is kept of a SAML provider, and what it needs from us",
    ),
    api(
        "PUT",
        _ONE,
        kinds.MANAGE_CONNECTIONS,
        change,
        body=shapes.SamlChange,
        answer=shapes.SamlConnection,
        summary="Newer metadata of the same SAML provider; what is left out stays",
        codes=(Code.CONFLICT,),
        body_limit=LARGE_BODY_LIMIT,
    ),
]
