"""Keys come from the environment or a keyring, and show themselves to nobody."""

from __future__ import annotations

import pytest

from hedgeflow.market.errors import ConfigError
from hedgeflow.sources.keys import ApiKey, find_key, system_keyring

NAME = "VENDOR_API_KEY"


def held(service, name):
    return {("hedgeflow", NAME): " from-the-keyring\n"}.get((service, name))


def revealed(key):
    return None if key is None else key.reveal()


def test_the_environment_goes_before_the_keyring():
    assert revealed(find_key(NAME, {NAME: " from-the-environment\n"}, held)) == (
        "from-the-environment"
    )
    assert revealed(find_key(NAME, {NAME: ""}, held)) == "from-the-keyring"
    assert revealed(find_key(NAME, {}, held)) == "from-the-keyring"


def test_without_either_there_is_no_key():
    assert find_key(NAME, {}) is None
    assert find_key("OTHER_KEY", {}, held) is None


@pytest.mark.parametrize("text", ["two words", "two\nlines", "schlüssel", "nul\0byte"])
def test_what_cannot_be_sent_is_refused_unseen(text):
    with pytest.raises(ConfigError, match=f"{NAME}: this is no key") as caught:
        find_key(NAME, {NAME: text})
    assert text not in str(caught.value)


def test_a_key_does_not_show_itself():
    key = ApiKey("secret")
    assert "secret" not in f"{key!r} {key} {[key]}"


def test_the_systems_keyring_is_read_where_its_package_is_installed():
    package = pytest.importorskip("keyring", reason="the optional package keyring is missing")
    before = package.get_keyring()

    class Held(package.backend.KeyringBackend):
        priority = 1

        def __init__(self):
            self.kept = {}

        def get_password(self, service, username):
            return self.kept.get((service, username))

        def set_password(self, service, username, password):
            self.kept[service, username] = password

    package.set_keyring(Held())
    try:
        assert find_key(NAME, {}, system_keyring()) is None
        package.set_password("hedgeflow", NAME, " from-the-keyring\n")
        assert revealed(find_key(NAME, {}, system_keyring())) == "from-the-keyring"
        package.set_keyring(package.backends.fail.Keyring())
        assert find_key(NAME, {}, system_keyring()) is None
    finally:
        package.set_keyring(before)
