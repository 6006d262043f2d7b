"""What of the caller's environment an agent sees."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

COMMON = (
    *("HOME", "PATH", "LANG", "LC_*", "TERM", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL", "SSH_AUTH_SOCK", "XDG_*"),
    *("*_PROXY", "*_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
    *("CURL_CA_BUNDLE", "GIT_SSL_CAINFO"),
)
"""Given to every headless session."""
OWN: dict[str, tuple[str, ...]] = {
    "claude": ("CLAUDE_*", "ANTHROPIC_*", "API_TIMEOUT_MS", "DISABLE_*", "IS_SANDBOX"),
    "codex": ("CODEX_*", "OPENAI_*"),
}
"""Given to one program and kept from the other: neither sees the other's keys."""
NESTED = (
    *("CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION*", "CLAUDE_PROJECT_DIR"),
    *("CLAUDE_PLUGIN_*", "CLAUDE_ENV_FILE", "CODEX_SANDBOX*", "CODEX_THREAD_ID"),
)
"""Facts of the session that the runner itself was started in, wrong in any other."""


def headless_environment(program: str, environ: Mapping[str, str], further: str = "") -> dict[str, str]:
    """Pick what a headless session sees; `further` names more variables or patterns, separated by commas."""
    allowed = (*COMMON, *OWN.get(program, ()), *(name.strip() for name in further.split(",")))
    return {name: value for name, value in environ.items() if _any(allowed, name) and not _any(NESTED, name)}


def terminal_environment(program: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Pick what an interactive session sees: what it would see started by hand, but no other program's keys."""
    foreign = [pattern for owner, patterns in OWN.items() if owner != program for pattern in patterns]
    return {name: value for name, value in environ.items() if not _any(foreign, name) and not _any(NESTED, name)}


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
