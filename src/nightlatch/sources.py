"""Where a request comes from, as far as counting goes: the network, not the single address. Pure."""

from functools import lru_cache
from ipaddress import ip_address, ip_network


@lru_cache(4096)
def source_of(ip: str) -> str:
    """The /24 of an IPv4 address or the /64 of an IPv6 address; "unknown" for anything else.

    One household or attacker has a whole /64, so single IPv6 addresses would be no limit at all.
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return "unknown"
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    return str(ip_network((address, 24 if address.version == 4 else 64), strict=False))
