"""People come and go, and have other names and addresses."""

from nightlatch import addresses
from nightlatch.actions import emails, invitations, joining, profile, teammates
from nightlatch.actions.tokens import new_token
from nightlatch.vocabulary import Credential, Role
from tests.support.history.stage import OPERATOR, VISITOR, Nobody, Stage
from tests.support.letters import letter
from tests.support.tables import rows


class People(Stage):
    """Acme's and Beta's."""

    # --- joining and leaving ---

    def invited(self, workspace_id: int, email: str, role: Role = Role.MEMBER) -> bytes:
        owner = self.dana if workspace_id == self.acme else self.rosa
        address, by = addresses.parse(email), self.session(owner)
        self.world.write(
            lambda tx: invitations.invite(tx, by=by, workspace_id=workspace_id, pasted=[address], role=role)
        )
        return letter(self.world, "invitation", to=address.display).hash()

    def joins_with_a_new_account(self) -> None:
        name, token = self.named(), new_token()
        workspace_id = self.chance.choice([self.acme, self.acme, self.beta])
        role = self.chance.choice([Role.MEMBER, Role.MEMBER, Role.ADMIN])
        link = self.invited(workspace_id, f"{name.replace(' ', '.').lower()}@example.com", role)
        self.world.write(
            lambda tx: joining.accept_new(
                tx,
                by=VISITOR,
                token_hash=link,
                name=name,
                password_hash="unusable",
                session_token=token,
                kind=Credential.COOKIE,
            )
        )

    def joins_with_an_account(self) -> None:
        """Somebody who was there before, or who is in the neighbours' workspace."""
        workspace_id = self.chance.choice([self.acme, self.beta])
        here = {each.account_id for each in self.members(workspace_id)}
        found = [row for row in rows(self.world, "accounts") if row.app_id is None and row.id not in here]
        if not found:
            raise Nobody
        account = self.chance.choice(sorted(found, key=lambda row: row.created_at))
        link, by = self.invited(workspace_id, account.email), self.session(account.id)
        self.world.write(lambda tx: joining.accept_existing(tx, by=by, token_hash=link))

    def leaves(self) -> None:
        workspace_id = self.chance.choice([self.acme, self.beta])
        by = self.session(self.one(workspace_id).account_id)
        self.world.write(lambda tx: teammates.leave(tx, by=by, workspace_id=workspace_id))

    def is_removed(self) -> None:
        target, by = self.one(self.acme), self.session(self.dana)
        self.world.write(
            lambda tx: teammates.remove(tx, by=by, workspace_id=self.acme, teammate_id=target.id)
        )

    def is_removed_by_the_operator(self) -> None:
        target = self.one(self.acme)
        self.world.write(
            lambda tx: teammates.remove(
                tx, by=OPERATOR, workspace_id=self.acme, teammate_id=target.id, reason="=Asked by letter"
            )
        )

    def has_another_role(self) -> bool:
        target, by, role = self.one(self.acme), self.session(self.dana), self.chance.choice(list(Role))
        return self.world.write(
            lambda tx: teammates.change_role(
                tx, by=by, workspace_id=self.acme, teammate_id=target.id, role=role
            )
        )

    # --- names and addresses ---

    def has_another_name(self) -> None:
        account_id, name = self.one(self.acme).account_id, f"Renamed {self.named()}"
        by = self.session(account_id)
        self.world.write(lambda tx: profile.rename(tx, by=by, name=name))

    def has_another_address(self) -> None:
        by = self.session(self.one(self.acme).account_id)
        new = addresses.parse(f"{self.named().replace(' ', '.').lower()}@example.org")
        self.world.write(lambda tx: emails.request_change(tx, by=by, address=new))
        link = letter(self.world, "email_confirm", to=new.display).hash()
        self.world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=link))

    def takes_the_address_back(self) -> None:
        self.has_another_address()
        link = letter(self.world, "email_changed").hash("undo_link")
        self.world.write(lambda tx: emails.undo(tx, by=VISITOR, token_hash=link))
