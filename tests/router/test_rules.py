"""The seed's routing rules, line by line."""

import pytest

from router.choice.rules import DECIDE_ROUTING, ELSE, GUIDE, PATTERNS, PRE_HOOK, decide_routing, match, pre_hook
from router.labels import Platform

CLAUDE, CODEX, HYBRID = Platform.CLAUDE_CODE, Platform.CODEX, Platform.HYBRID


@pytest.mark.parametrize("word", ["explain", "debug", "design", "review", "help", "understand"])
def test_the_pre_hook_sends_its_words_to_claude_code(word: str) -> None:
    assert pre_hook(f"please {word} it") is CLAUDE


@pytest.mark.parametrize("task", ["Explain it", "DEBUG it", "write tests", "build it"])
def test_the_pre_hook_greps_with_case_and_sends_the_rest_to_codex(task: str) -> None:
    assert pre_hook(task) is CODEX


@pytest.mark.parametrize("task", ["Explain it", "DEBUG it", "the design", "Review", "help me to understand it"])
def test_decide_routing_ignores_case(task: str) -> None:
    assert decide_routing(task) == (CLAUDE, "Requires interaction and reasoning")


@pytest.mark.parametrize("task", ["help me", "understand", "write tests", "build it"])
def test_decide_routing_sends_the_rest_to_codex(task: str) -> None:
    assert decide_routing(task) == (CODEX, "Can run in background, parallelizable")


@pytest.mark.parametrize(
    ("task", "name", "platform"),
    [
        ("explain the cache", "explain *", CLAUDE),
        ("Debug the login", "debug *", CLAUDE),
        ("design an event bus", "design *", CLAUDE),
        ("review with me the last commit", "review with me *", CLAUDE),
        ("help me understand the parser", "help me understand *", CLAUDE),
        ("please explain the cache", "explain *", CLAUDE),
        ("implement the three endpoints in parallel", "implement * in parallel", CODEX),
        ("generate the fixture files", "generate * files", CODEX),
        ("write tests for parser.py", "write tests for *", CODEX),
        ("document the API", "document *", CODEX),
        ("batch process the images", "batch process *", CODEX),
    ],
)
def test_the_patterns_of_both_lists_route_as_the_seed_says(task: str, name: str, platform: Platform) -> None:
    rule = match(task)
    assert rule is not None
    assert (rule.source, rule.name, rule.platform) == ("patterns", name, platform)


@pytest.mark.parametrize(
    ("task", "row", "platform"),
    [
        ("plan the move to Kubernetes", "Design/Architecture", CLAUDE),
        ("why does the login test fail only in CI?", "Debugging", CLAUDE),
        ("audit the payment module", "Code Review", CLAUDE),
        ("implement GET /users", "Implementation", CODEX),
        ("add unit tests", "Test Writing", CODEX),
        ("update the readme", "Documentation", CODEX),
        ("refactor the god class", "Refactoring", HYBRID),
        ("add a new feature for teams", "New Feature", HYBRID),
    ],
)
def test_every_row_of_the_selection_guide_routes(task: str, row: str, platform: Platform) -> None:
    rule = match(task)
    assert rule is not None
    assert (rule.source, rule.name, rule.platform) == ("guide", row, platform)


def test_the_lists_are_as_long_as_the_seed_s() -> None:
    assert (len(PATTERNS), len(DECIDE_ROUTING), len(PRE_HOOK), len(GUIDE)) == (10, 5, 1, 8)


def test_a_task_no_rule_speaks_for_matches_none_and_the_seed_s_else_is_codex() -> None:
    assert match("what's the weather") is None
    assert ELSE.platform is CODEX
