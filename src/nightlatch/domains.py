"""Domains of e-mail addresses, as workspaces claim them: spelling, the DNS record that proves one, mail hosts. Pure."""

from collections.abc import Iterable

from nightlatch.addresses import BadAddress, parse

RECORD = "_nightlatch-challenge"
"""The label below a domain at which its TXT record is looked for."""


class BadDomain(ValueError):
    """The text is no domain that a workspace may claim. `reason` is a sentence; it repeats nothing that was typed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_domain(text: str) -> str:
    """A domain as the keys of addresses spell it: lower case, ASCII. Raises BadDomain, for public mail hosts too."""
    try:
        domain = domain_of(parse(f"postmaster@{text.strip().removeprefix('@')}").key)
    except BadAddress:
        raise BadDomain("Enter a domain alone, such as example.com.") from None
    if "." not in domain:
        raise BadDomain("Enter a whole domain, such as example.com.")
    if is_public_mail_host(domain):
        raise BadDomain("Everybody can have an address there: it is nobody's own domain.")
    return domain


def domain_of(email_key: str) -> str:
    """The domain in the key of an address. It is compared whole: a domain below it is another one."""
    return email_key.rpartition("@")[2]


def record_name(domain: str) -> str:
    """Where the record stands that proves a domain."""
    return f"{RECORD}.{domain}"


def shows(found: Iterable[str], proof: str) -> bool:
    """Whether one of the texts found in DNS is the proof that was asked for."""
    return any(each.strip() == proof for each in found)


def is_public_mail_host(domain: str) -> bool:
    """Whether strangers share this domain, because anybody gets an address there."""
    labels = domain.split(".")
    return domain in _HOSTS or (2 <= len(labels) <= 3 and labels[0] in _FAMILIES)


_FAMILIES = frozenset({"aol", "gmx", "hotmail", "live", "outlook", "yahoo", "yandex", "ymail"})
"""They have one domain a country; whoever owns such a name for themself asks the operator."""
_LIST = """
126.com 163.com 1und1.de aim.com aliceadsl.fr alice.it arcor.de att.net bellsouth.net bigpond.com bk.ru bluewin.ch
btinternet.com centrum.cz charter.net comcast.net cox.net daum.net disroot.org duck.com earthlink.net email.cz
fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de gmail.com googlemail.com hanmail.net hey.com
hushmail.com icloud.com inbox.com inbox.lv inbox.ru juno.com kakao.com laposte.net libero.it list.ru mac.com mail.com
mail.de mail.ru mailbox.org mailfence.com mailinator.com me.com msn.com naver.com neuf.fr nifty.com o2.pl online.de
onet.pl optonline.net orange.fr pm.me posteo.de posteo.net proton.me protonmail.ch protonmail.com qq.com rambler.ru
rediffmail.com rocketmail.com runbox.com sbcglobal.net seznam.cz sfr.fr sina.com sky.com sohu.com t-online.de
telenet.be tin.it tiscali.it tuta.com tuta.io tutamail.com tutanota.com tutanota.de ukr.net verizon.net virgilio.it
virginmedia.com wanadoo.fr web.de wp.pl xs4all.nl xtra.co.nz ya.ru yeah.net ziggo.nl zoho.com zohomail.com
"""
_HOSTS = frozenset(_LIST.split())
