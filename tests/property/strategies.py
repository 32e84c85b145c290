"""CIDRs that nest, overlap and touch: what routes and ACLs are judged on."""

from ipaddress import IPv4Network, IPv6Network

from hypothesis import strategies as st

# Prefixes of one address nest; these lie in the blocks that matter (private, public, multicast; IPv6's public block).
_SPINES = {
    32: (0x0A000105, 0x0A800001, 0x34000001, 0x7FFFFFFF, 0x80000000, 0xC0A80001, 0xE0000001, 0xFFFFFFFF),
    128: (
        *(0x2000 << 112, 0x2600_1F18 << 96, 0x3FFF_FFFF << 96, 0x20FF << 112),
        *(0xFD00 << 112, 0x0064_FF9B << 96),
    ),
}
_LENGTHS = {32: (0, 1, 2, 3, 4, 6, 8, 16, 24, 32), 128: (0, 1, 2, 3, 4, 5, 8, 16, 64)}


def _cidr(bits: int, address: int, length: int) -> str:
    network = IPv4Network if bits == 32 else IPv6Network  # ip_network takes a small number for IPv4
    return str(network((address >> (bits - length) << (bits - length), length)))


def _cidrs(bits: int) -> st.SearchStrategy[str]:
    """Prefixes of the spines, mostly short ones, which decide where the internet is; and any others."""
    lengths = _LENGTHS[bits]
    short, long = (
        sorted({_cidr(bits, spine, length) for spine in _SPINES[bits] for length in chosen})
        for chosen in (lengths[:5], lengths[5:])
    )
    anything = st.builds(_cidr, st.just(bits), st.integers(0, 2**bits - 1), st.sampled_from(lengths))
    return weighted((6, st.sampled_from(short)), (3, st.sampled_from(long)), (1, anything))


def weighted[T](*choices: tuple[int, st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
    """One of the strategies, each as often as its weight says; `|` flattens and forgets weights."""
    return st.sampled_from([choice for weight, choice in choices for _ in range(weight)]).flatmap(lambda one: one)


IPV4_CIDRS = _cidrs(32)
IPV6_CIDRS = _cidrs(128)
