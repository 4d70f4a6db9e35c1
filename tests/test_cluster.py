"""Addresses of clusters; what a cluster does is tested where it is used."""

import pytest

from heartseg.cluster import is_cluster, joined, require_address
from heartseg.core.errors import ConfigError

NONE = ["ray://", "ray://host", "ray://host:port", "ray://:6379", "local", "host:6379", "2", "ray"]


@pytest.mark.parametrize("address", NONE)
def test_an_address_that_is_none_is_refused_before_ray_is_looked_for(address):
    with pytest.raises(ConfigError, match="ray://HOST:PORT"):
        require_address(address)
    with pytest.raises(ConfigError, match="ray://HOST:PORT"), joined(address):
        pass


@pytest.mark.parametrize("address", ["ray://local", "ray://heart.example:6379"])
def test_addresses_are_known_by_their_beginning(address):
    require_address(address)
    assert is_cluster(address)
    assert not is_cluster(address.removeprefix("ray://"))
