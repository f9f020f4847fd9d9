"""Who is in the demo world. All of them are invented."""

from dataclasses import dataclass

from nightlatch.instants import DAY, HOUR, MINUTE, Duration
from nightlatch.vocabulary import Role

PASSWORD = "walnut harbour kettle"
"""Everybody's password in the demo world, and printed whenever it starts."""
DOMAIN = "acme.example"


@dataclass(frozen=True, slots=True)
class Part:
    """A person of the demo, and what they have done so far, as durations before now."""

    name: str
    local: str
    role: Role
    joined: Duration
    seen: Duration | None
    """Their last sign-in; None: not since they joined."""
    two_factor: bool = False

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.local}@{DOMAIN}"


OWNER = Part("Dana Ruiz", "dana", Role.OWNER, 42 * DAY, 2 * HOUR, two_factor=True)
ADMIN = Part("Priya Nair", "priya", Role.ADMIN, 40 * DAY, 5 * HOUR, two_factor=True)
ANA = Part("Ana Silva", "ana", Role.MEMBER, 38 * DAY, 26 * HOUR, two_factor=True)
BEN = Part("Ben Okafor", "ben", Role.MEMBER, 38 * DAY, 50 * MINUTE)
CHEN = Part("Chen Wei", "chen", Role.MEMBER, 37 * DAY, 3 * DAY)
YUKI = Part("Yuki Sato", "yuki", Role.MEMBER, 35 * DAY, 8 * DAY, two_factor=True)
"""Has lost her phone: an admin has turned off her 2FA."""

INVITED = ("Mei Tanaka", f"mei@{DOMAIN}")
ALSO_INVITED = "lucas.moreau@studio.example"

MAIN = (OWNER, ADMIN, ANA, BEN, CHEN)
"""Those whom the demo introduces. The phone knows the codes of those who have 2FA."""

_M = Role.MEMBER
CAMILA = Part("Camila Fernández", "camila", _M, 36 * DAY, 9 * HOUR)
CARELESS = Part("Katarzyna Wójcik", "kasia", _M, 29 * DAY, 3 * HOUR, two_factor=True)
"""Has saved no recovery codes."""
OTHERS = (
    YUKI,
    Part("Amara Okeke", "amara", _M, 36 * DAY, 4 * HOUR, two_factor=True),
    Part("Björn Lindqvist", "bjorn", _M, 36 * DAY, 30 * HOUR),
    CAMILA,
    Part("Đặng Minh Anh", "minh.anh", _M, 35 * DAY, 2 * DAY, two_factor=True),
    Part("Élodie Girard", "elodie", _M, 35 * DAY, 20 * HOUR, two_factor=True),
    Part("Farid Haddad", "farid", _M, 34 * DAY, 6 * DAY),
    Part("Grace Kim", "grace", _M, 33 * DAY, 95 * MINUTE, two_factor=True),
    Part("Hana Nováková", "hana", _M, 33 * DAY, 11 * DAY),
    Part("İpek Yılmaz", "ipek", _M, 31 * DAY, 44 * HOUR),
    Part("João Pereira", "joao", _M, 30 * DAY, 7 * HOUR),
    CARELESS,
    Part("Liam O’Connor", "liam", _M, 28 * DAY, None),
    Part("Mónica Salazar", "monica", _M, 27 * DAY, 16 * DAY),
    Part("Noura Al-Sayed", "noura", _M, 25 * DAY, 28 * HOUR, two_factor=True),
    Part("Oleksandr Kovalenko", "oleksandr", _M, 24 * DAY, 10 * HOUR),
    Part("Paulo Batista", "paulo", _M, 22 * DAY, 5 * DAY),
    Part("Qiao Lin", "qiao", _M, 20 * DAY, None),
    Part("Ritu Sharma", "ritu", _M, 19 * DAY, 6 * HOUR, two_factor=True),
    Part("Søren Kjær", "soren", _M, 17 * DAY, 33 * HOUR),
    Part("Tomás Herrera", "tomas", Role.ADMIN, 15 * DAY, 4 * DAY),
    Part("Ulla Virtanen", "ulla", _M, 12 * DAY, 22 * HOUR),
    Part("Wanjiru Kamau", "wanjiru", _M, 9 * DAY, 35 * MINUTE),
    Part("Zoltán Szabó", "zoltan", _M, 6 * DAY, None),
)
