"""Secrets never reach the journal."""

import pytest

from router.journal.scrub import REMOVED, scrub, scrub_all


def joined(*parts: str) -> str:
    """A made-up secret, put together here so that no scanner takes this file for a leak."""
    return "".join(parts)


@pytest.mark.parametrize(
    "secret",
    [
        joined("AKIA", "IOSFODNN7EXAMPLE"),
        joined("ghp_", "a1" * 18),
        joined("sk-ant-", "api03-abcdefghijklmnop"),
        joined("xoxb-", "123456789012-123456789012-abcdefabcdefabcdefabcdef"),
        joined("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTY3ODkwIn0", ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
        joined("npm_", "abcdefghijklmnopqrstuvwxyz0123456789"),
    ],
)
def test_tokens_of_known_shapes_are_removed(secret: str) -> None:
    cleaned = scrub(f"why is this refused: {secret} and now?")
    assert secret not in cleaned
    assert REMOVED in cleaned
    assert cleaned.startswith("why is this refused: ")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("connect to postgres://bob:hunter2x@db/prod", "hunter2x"),
        ("password=hunter2xx in .env", "hunter2xx"),
        ('set API_KEY: "abcdef123456"', "abcdef123456"),
        ("Authorization: Bearer abcdefghijklmnop1234", "abcdefghijklmnop1234"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----\nfix it", "MIIabc"),
        ("-----BEGIN PRIVATE KEY-----\nMIIcut", "MIIcut"),
    ],
)
def test_assignments_urls_headers_and_keys_are_removed(text: str, secret: str) -> None:
    assert secret not in scrub(text)
    assert REMOVED in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "fix the login token: it expires too early",
        "the password: field is hidden on mobile",
        "commit 8f14e45fceea167a5a36dedd4bea2543 broke it",
        "rename std::secret::token to std::token",
    ],
)
def test_ordinary_prose_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


def test_every_string_of_a_json_value_is_scrubbed() -> None:
    value = {"env": ["password=hunter2xx", 3, None], "nested": {"token=abcdef123": ("x",)}}
    assert scrub_all(value) == {"env": [f"password={REMOVED}", 3, None], "nested": {f"token={REMOVED}": ["x"]}}
