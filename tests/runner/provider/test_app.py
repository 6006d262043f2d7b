"""What a program gets from the provider, for each of the programs alike."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from .conftest import CWD, ClaudeLike, Program

GREETING = """
add-greeting:
  task: '(?i)add (?:a|the) (?P<what>greeting)'
  blanks: {place: the shop}
  steps:
    - say: I add a {{what}} to {{place}}.
      run: ls
    - say: "I found {{result}} in {{cwd}}, {{unknown}}."
"""
TWO = """
one:
  steps: [{say: first of one, run: ls}, {say: second of one}]
two:
  steps: [{say: first of two}]
"""


def test_a_script_is_chosen_by_its_task_and_fills_its_blanks(program: Callable[[str], Program]) -> None:
    talk = program(GREETING)
    assert talk.ask("Please add a greeting.").text == "I add a greeting to the shop."
    assert talk.give("app.py").text == f"I found app.py in {CWD}, {{{{unknown}}}}."


def test_a_script_is_chosen_by_the_newest_marker(program: Callable[[str], Program]) -> None:
    talk = program(TWO)
    assert talk.ask("[[script:one]] go").text == "first of one"
    talk.give("app.py")
    assert talk.ask("and now [[script:two]]").text == "first of two"


def test_a_prompt_without_a_script_goes_on_with_the_unfinished_one(program: Callable[[str], Program]) -> None:
    talk = program(TWO)
    talk.ask("[[script:one]] go")
    assert talk.ask("go on").text == "second of one"


def test_nothing_more_is_said_after_the_end(program: Callable[[str], Program]) -> None:
    talk = program(TWO)
    talk.ask("[[script:two]]")
    assert talk.ask("go on").text == "Nothing more is scripted for this."


def test_a_repeated_script_begins_again(program: Callable[[str], Program]) -> None:
    talk = program("again: {repeat: true, steps: [{say: tick, run: date}, {say: tock, run: date}]}")
    said = [talk.ask("[[script:again]]").text, *(talk.give("now").text for _ in range(3))]
    assert said == ["tick", "tock", "tick", "tock"]


def test_a_prompt_that_no_script_is_for_gets_one_sentence(program: Callable[[str], Program]) -> None:
    assert program(TWO).ask("Hello?").text == "Nothing more is scripted for this."


def test_the_sentence_for_other_prompts_can_be_changed(program: Callable[[str], Program]) -> None:
    assert program("default: {steps: [{say: Pardon}]}").ask("Hello?").text == "Pardon"


def test_an_unknown_script_is_refused_by_name(program: Callable[[str], Program]) -> None:
    answer = program(TWO).ask("[[script:three]]")
    assert (answer.status, answer.text) == (400, "no script is called three")


def test_a_side_call_gets_plain_text_at_once(program: Callable[[str], Program]) -> None:
    talk = program("one: {steps: [{say: A title, run: ls, error: {status: 500}}]}")
    talk.is_side_call = True
    answer = talk.ask("[[script:one]]")
    assert (answer.status, answer.text, answer.calls) == (200, "A title", [])


def test_a_step_fails_as_often_as_it_says_and_then_plays(program: Callable[[str], Program]) -> None:
    talk = program("busy: {steps: [{say: At last., error: {status: 429, times: 2, message: Too many.}}]}")
    assert [talk.ask("[[script:busy]]").status, talk.request().status] == [429, 429]
    assert talk.request().text == "At last."


def test_a_failure_counts_for_its_own_session_only(program: Callable[[str], Program]) -> None:
    talk = program("busy: {steps: [{say: At last., error: {status: 529, times: 1}}]}")
    talk.ask("[[script:busy]]")
    talk.session_id = "another"
    assert talk.request().status == 529


def test_a_step_without_a_limit_fails_for_ever(program: Callable[[str], Program]) -> None:
    talk = program("down: {steps: [{error: {status: 500}}]}")
    assert {talk.ask("[[script:down]]").status for _ in range(5)} == {500}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
def test_a_failure_says_when_to_come_back(path: str, serve: Callable[[str], TestClient]) -> None:
    http = serve("default: {steps: [{error: {status: 429, retry_after_s: 7}}]}")
    reply = http.post(path, json={"tools": [{}], "messages": [{"role": "user", "content": "x"}], "input": "x"})
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")


def test_claude_gets_the_same_answer_without_a_stream(serve: Callable[[str], TestClient]) -> None:
    http = serve(GREETING)
    streamed, whole = ClaudeLike(http).ask("Add a greeting"), ClaudeLike(http, stream=False).ask("Add a greeting")
    assert whole == streamed
    assert whole.stop == "tool_use"


def test_claude_can_count_tokens(serve: Callable[[str], TestClient]) -> None:
    reply = serve(TWO).post("/v1/messages/count_tokens", json={"messages": []})
    assert reply.json()["input_tokens"] > 0


def test_both_protocols_report_the_usage_of_the_script(serve: Callable[[str], TestClient]) -> None:
    http = serve("default: {steps: [{say: x, usage: {input: 1200, cached: 1000, output: 34}}]}")
    messages = [{"role": "user", "content": "x"}]
    claude = http.post("/v1/messages", json={"tools": [{}], "messages": messages}).json()["usage"]
    codex = http.post("/v1/responses", json={"tools": [{}], "input": "x"}).json()["usage"]
    assert (claude["input_tokens"], claude["cache_read_input_tokens"], claude["output_tokens"]) == (1200, 1000, 34)
    assert (codex["input_tokens"], codex["input_tokens_details"]["cached_tokens"]) == (1200, 1000)


def test_the_journal_tells_who_asked_what_and_when(program: Callable[[str], Program]) -> None:
    talk = program("one: {steps: [{say: x, run: ls, delay_s: 0.1}, {say: y}]}")
    talk.ask("[[script:one]] go")
    talk.give("app.py")
    rows: list[dict[str, Any]] = talk.http.get("/__provider/journal").json()
    assert [(row["script"], row["step"], row["status"]) for row in rows] == [("one", 0, 200), ("one", 1, 200)]
    assert {row["session_id"] for row in rows} == {talk.session_id}
    assert {row["prompt"] for row in rows} == {"[[script:one]] go"}
    assert rows[0]["ended_at"] - rows[0]["started_at"] >= 0.1
    assert rows[0]["ended_at"] <= rows[1]["started_at"]


def test_the_journal_has_whole_requests_where_asked_for(program: Callable[[str], Program]) -> None:
    talk = program(TWO)
    talk.ask("[[script:two]] please")
    rows = talk.http.get("/__provider/journal?bodies").json()
    assert "please" in str(rows[0]["body"])


def test_an_allowance_that_is_used_up_is_told_in_each_protocol_s_own_way(serve: Callable[[str], TestClient]) -> None:
    http = serve("default: {steps: [{error: {status: 429, resets_in_s: 3600, message: No more.}}]}")
    body = {"tools": [{}], "messages": [{"role": "user", "content": "x"}], "input": "x"}
    anthropic, openai = http.post("/v1/messages", json=body), http.post("/v1/responses", json=body)
    assert (anthropic.status_code, openai.status_code) == (429, 429)
    assert anthropic.headers["anthropic-ratelimit-unified-status"] == "rejected"
    assert openai.json()["error"]["type"] == "usage_limit_reached"
    for reset in (int(anthropic.headers["anthropic-ratelimit-unified-reset"]), openai.json()["error"]["resets_at"]):
        assert 3500 < reset - time.time() <= 3600


def test_what_claude_adds_where_a_conversation_is_resumed_is_no_answer(serve: Callable[[str], TestClient]) -> None:
    said = [("user", "[[script:one]]"), ("assistant", "No response requested."), ("user", "Go on.")]
    messages = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in said]
    reply = serve(TWO).post("/v1/messages", json={"tools": [{}], "messages": messages})
    assert reply.json()["content"][0]["text"] == "first of one"
