"""Money: looked at and moved with proof of the second step from the last ten minutes."""

import re
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response

from acme_notes import database, moments
from acme_notes.house import Managing, go, page
from acme_notes.two_factor import FreshProof

router = APIRouter(prefix="/t/{team}")
Text = Annotated[str, Form()]


@router.get("/payouts")
def payouts_page(request: Request, here: Managing, proof: FreshProof) -> Response:
    rows = database.rows("SELECT * FROM payouts WHERE team_id = ? ORDER BY id DESC", here.team)
    return page(request, "payouts.html", here=here, payouts=rows, proof=proof)


@router.post("/payouts")
def pay(
    here: Managing, proof: FreshProof, recipient: Text, account: Text, amount: Text, reference: Text = ""
) -> Response:
    if not re.fullmatch(r"\d{1,6}(\.\d\d)?", amount.strip()):
        raise HTTPException(422, "An amount is written like 120 or 120.50.")
    sql = (
        "INSERT INTO payouts (team_id, recipient, account, cents, reference, made_by, made_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    cents, at = round(float(amount) * 100), moments.text()
    database.run(
        sql, here.team, recipient.strip(), account.strip(), cents, reference.strip(), here.user.name, at
    )
    return go(here.path("payouts"))
