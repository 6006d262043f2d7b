"""Workflow files: every spelling is read, and what is wrong is said with its place and what was probably meant."""

import json
import re
from pathlib import Path

import pytest

from runner.workflows.catalog import BUILT_IN, find, listed
from runner.workflows.errors import WorkflowInvalid, WorkflowUnknown
from runner.workflows.graph import drawing, levels, mermaid, svg
from runner.workflows.marked import LARGEST_BYTES
from runner.workflows.model import Kind, Workflow
from runner.workflows.reading import read, read_file
from runner.workflows.schema import json_schema

PIPELINE = """
description: Chain workers in sequence
steps:
  - spawn: architect
  - wait_for: architecture
  - spawn: [coder-1, coder-2]
  - wait_for: implementation
  - spawn: tester
  - wait_for: tests
  - aggregate_results
"""
PARALLEL = """
description: Spawn multiple workers for parallel execution
steps:
  - swarm_init: { topology: hierarchical, maxAgents: 8 }
  - spawn_workers:
      - { type: coder, count: 2 }
      - { type: tester, count: 1 }
      - { type: reviewer, count: 1 }
  - wait_for_completion
  - aggregate_results
"""
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
)


def workflow(text: str) -> Workflow:
    return read(text.encode(), "w.yaml")


def shape(found: Workflow) -> list[tuple[str, str, tuple[str, ...], list[str]]]:
    return [
        (phase.name, phase.kind.value, phase.after, [worker.name for worker in phase.workers]) for phase in found.phases
    ]


def test_the_phases_of_the_seed_are_read_as_they_are() -> None:
    found = read_file(BUILT_IN / "hybrid_development.yaml")
    assert shape(found) == [
        ("design", "design", (), []),
        ("implement", "work", ("design",), ["coder-1", "coder-2", "tester"]),
        ("review", "review", ("implement",), []),
    ]
    assert [(phase.platform, phase.interactive) for phase in found.phases] == [
        ("claude-code", True), ("codex", False), ("claude-code", True),
    ]  # fmt: skip
    assert found.phases[0].tasks == ("Discuss requirements", "Design architecture", "Store design in memory")


def test_the_steps_of_the_seed_are_read_as_they_are() -> None:
    found = read_file(BUILT_IN / "parallel_feature.yaml")
    assert shape(found) == [
        ("implement", "work", (), ["architect", "coder-1", "coder-2", "tester", "docs"]),
        ("review", "review", ("implement",), []),
    ]
    assert (found.topology, found.phases[0].limits.at_once) == ("hierarchical", 6)
    assert [worker.role for worker in found.workers()] == ["architect", "coder", "coder", "tester", "docs"]
    assert found.phases[0].workers[2].task == "Implement API"


def test_the_third_spelling_is_read_as_it_is() -> None:
    assert shape(workflow(PARALLEL)) == [("implement", "work", (), ["coder-1", "coder-2", "tester", "reviewer"])]
    assert shape(workflow(PIPELINE)) == [
        ("architecture", "work", (), ["architect"]),
        ("implementation", "work", ("architecture",), ["coder-1", "coder-2"]),
        ("tests", "work", ("implementation",), ["tester"]),
    ]


def test_what_is_spawned_without_waiting_works_at_the_same_time() -> None:
    text = "steps:\n- spawn: coder\n- spawn: tester\n- wait_all\n- action: spawn_headless\n  workers: [{role: docs}]\n"
    assert shape(workflow(text)) == [
        ("implement", "work", (), ["coder", "tester"]),
        ("implement-2", "work", ("implement",), ["docs"]),
    ]
    apart = "steps:\n- spawn: coder\n- action: spawn_headless\n  platform: claude-code\n  workers: [{role: docs}]\n"
    assert [after for _, _, after, _ in shape(workflow(f"{apart}- action: interactive_review\n"))] == [
        (), (), ("implement", "implement-2"),
    ]  # fmt: skip


def test_work_without_workers_gets_a_coder_for_each_task_or_one_for_all() -> None:
    head = "phases:\n- {phase: a, platform: codex, tasks: [One, Two], parallel: "
    assert [one.task for one in workflow(f"{head}true}}").workers()] == ["One", "Two"]
    assert [one.task for one in workflow(f"{head}false}}").workers()] == ["One\nTwo"]
    assert [one.task for one in workflow("phases:\n- {phase: a, platform: codex}").workers()] == [None]


def test_no_two_workers_have_one_name() -> None:
    first = "phases:\n- {phase: a, workers: [{type: coder, count: 2}]}\n"
    found = workflow(f"{first}- {{phase: b, workers: [{{type: coder-1}}, {{type: qa}}]}}")
    names = [worker.name for worker in found.workers()]
    assert len(set(names)) == 4
    assert names[-1] == "qa"


def test_phases_may_wait_for_any_others() -> None:
    text = "phases:\n- {phase: c, after: [a, b], kind: review}\n- {phase: a, workers: [{type: coder}], after: []}\n"
    found = workflow(f"{text}- {{phase: b, workers: [{{type: docs}}], after: []}}\n")
    assert [phase.name for phase in found.phases] == ["a", "b", "c"]
    assert [[phase.name for phase in level] for level in levels(found)] == [["a", "b"], ["c"]]
    assert found.phase("c").kind is Kind.REVIEW


def test_own_roles_aliases_and_limits() -> None:
    text = "roles: {juggler: You juggle.}\nphases:\n- phase: a\n  parallel: false\n  limits: {timeout_s: 5}\n"
    found = workflow(f"{text}  workers: [{{type: juggler}}, {{type: backend-1}}]\n")
    assert [(one.name, one.role) for one in found.workers()] == [("juggler", "juggler"), ("backend-1", "coder")]
    assert (found.phases[0].limits.at_once, found.phases[0].limits.timeout_s) == (1, 5)
    assert found.roles["juggler"] == "You juggle."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("phases:\n- phase: a\n  platfrm: codex\n",
         "3:3: phases.0.platfrm: there is no 'platfrm' here; did you mean 'platform'?"),
        ("phases:\n- phase: a\n  platform: claud\n",
         "3:13: phases.0.platform: 'claud' is unknown; did you mean 'claude-code'?"),
        ("phases:\n- phase: a\n  platform: hybrid\n",
         "3:13: phases.0.platform: 'hybrid' is unknown; there are claude-code, codex"),
        ("phases:\n- phase: a\n  workers: [{type: codr}]\n", "3:20: the role 'codr' is unknown; did you mean 'coder'?"),
        ("phases:\n- phase: a\n  workers: [{count: 1}]\n",
         "3:13: phases.0.workers.0: a worker has a `type` or a `role`"),
        ("phases:\n- phase: a\n  workers: [{type: coder, count: 0}]\n",
         "3:34: phases.0.workers.0.count: Input should be greater than or equal to 1"),
        ("phases:\n- phase: a\n  workers: [{type: coder, count: 10000}]\n", "3:34: .*less than or equal to 50"),
        ("phases:\n- phase: a\n  workers: [{type: coder, count: 30}, {type: docs, count: 30}]\n",
         "3:12: 60 workers; at most 50"),
        ("phases:\n- {phase: a, after: b}\n- {phase: b}\n", "2:21: the phases wait for each other: a needs b needs a"),
        ("phases:\n- {phase: a, after: a}\n", "the phases wait for each other: a needs a"),
        ("phases:\n- {phase: alpha}\n- {phase: b, after: alhpa}\n",
         "3:21: there is no phase 'alhpa'; did you mean 'alpha'?"),
        ("phases:\n- {phase: a}\n- {phase: a}\n", "3:11: there is a phase 'a' already"),
        ("phases:\n- {phase: a, tasks: ['{{tsk}}']}\n",
         "2:22: {{tsk}}: there is no variable 'tsk'; did you mean 'task'?"),
        ("phases:\n- {phase: a, tasks: ['{{memory:x}}']}\n", "write it as {{memory:NAMESPACE/KEY}}"),
        ("phases:\n- phase: a\n  workers: [{type: coder, task: 'go {{wher}}'}]\n", "{{wher}}: there is no variable"),
        ("variables: {task: x}\nphases:\n- {phase: a}\n", "1:19: 'task' is the task, as it was given"),
        ("phases:\n- phase: a\n  tasks:\n  - Note: this\n",
         "4:5: phases.0.tasks.0: a text is wanted; a text with `: ` in it has to be quoted"),
        ("phases:\n- {phase: a b}\n", "2:11: phases.0.phase: 'a b' is no name"),
        ("phases:\n- {platform: codex}\n", "2:3: phases.0.phase: is missing"),
        ("phases:\n- {phase: a, interactive: true, platform: codex}\n", "2:27: codex runs headless here"),
        ("phases:\n- {phase: a, interactive: true, workers: [{type: coder}]}\n",
         "2:27: a phase with workers is headless"),
        ("phases:\n- {phase: a, kind: design, workers: [{type: coder}]}\n", "2:37: a design is one session"),
        ("topology: hierarchicl\nphases:\n- {phase: a}\n",
         "1:11: topology: 'hierarchicl' is unknown; did you mean 'hierarchical'?"),
        ("steps:\n- action: swarm_init\n  args: {topolgy: mesh}\n",
         "3:10: steps.0.args.topolgy: there is no 'topolgy' here; did you mean 'topology'?"),
        ("steps:\n- swarm_init: {topology: mes}\n",
         "2:26: steps.0.swarm_init.topology: 'mes' is unknown; did you mean 'mesh'?"),
        ("steps:\n- action: spawn_headles\n",
         "2:3: steps.0: 'spawn_headles' is no step; did you mean 'spawn_headless'?"),
        ("steps:\n- wait_fo: x\n", "2:3: steps.0: 'wait_fo' is no step; did you mean 'wait_for'?"),
        ("steps:\n- wait_al\n", "2:3: steps.0: 'wait_al' is unknown; did you mean 'wait_all'?"),
        ("steps:\n- action: [x]\n", "2:3: steps.0: \"['x']\" is no step"),
        ("steps:\n- 7\n", "2:3: steps.0: '7' is no step"),
        ("steps:\n- spawn: [cod er]\n", "2:11: steps.0.spawn.0: 'cod er' is no name"),
        ("steps:\n- spawn_workers: [{type: codr}]\n", "2:26: the role 'codr' is unknown"),
        ("steps:\n- wait_for: x\n", "2:13: x: nothing was spawned before this"),
        ("phase:\n- {phase: a}\n", "1:1: the workflow needs `phases:` or `steps:`; did you mean 'phases'?"),
        ("phases: []\nsteps: []\n", "1:1: the workflow has both"),
        ("- a\n", "1:1: a workflow is a mapping"),
        ("", "1:1: the file is empty"),
        ("phases:\n  - phase: a\n   x: 1\n", "3:4: no YAML"),
        ("a: 1\na: 2\n", "2:1: 'a' is given twice"),
        ("<<: {a: 1}\n", "1:1: a key must be a plain word"),
        ("? [a]\n: b\n", "1:3: a key must be a plain word"),
        ("phases: !!python/object/apply:os.system ['x']\n", "1:9: the tag .*os.system is not taken"),
        ("phases: !mine x\n", "1:9: the tag !mine is not taken"),
        ("phases: !!int x\n", "1:9: 'x' is no value of its tag"),
        ("phases: &p\n- *p\n", "1:9: the alias holds itself"),
        (LAUGHS, "aliases make this more than 10000 values"),
        ("[" * 3000, "1:33: more than 32 levels deep"),
        ("x: [" + "a," * 30000 + "]", "more than 10000 values"),
        ("x: " + "a" * LARGEST_BYTES, "the file has .* bytes"),
        ("x: \x01", "1:1: no YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, told: str) -> None:
    with pytest.raises(WorkflowInvalid) as caught:
        workflow(text)
    pattern = told if ".*" in told else re.escape(told)
    assert re.search(pattern, str(caught.value)), str(caught.value)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(WorkflowInvalid) as caught:
        workflow("phases:\n- {phase: a, workers: [{type: codr}]}\n- {phase: b, tasks: ['{{tsk}}']}\n")
    assert [problem.line for problem in caught.value.problems] == [2, 3]


def test_what_is_no_utf_8_or_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(WorkflowInvalid, match="2:1: not UTF-8"):
        read_file(tmp_path / "w.yaml")
    with pytest.raises(WorkflowInvalid, match="No such file"):
        read_file(tmp_path / "none.yaml")


def test_dates_and_the_like_are_words() -> None:
    assert workflow("description: 2026-01-01\nphases: [{phase: a}]\n").description == "2026-01-01"


def test_own_workflows_hide_built_in_ones_and_broken_ones_are_listed(tmp_path: Path) -> None:
    own = tmp_path / ".dual/workflows"
    own.mkdir(parents=True)
    (own / "mine.yml").write_text("name: hybrid_development\nphases: [{phase: a}]\n")
    (own / "broken.yaml").write_text("phases: [{phas: a}]\n")
    found = {one.name: one for one in listed(tmp_path)}
    assert (found["hybrid_development"].own, found["parallel_feature"].own) == (True, False)
    assert "did you mean 'phase'" in found["broken"].problem
    assert find("hybrid_development", tmp_path).phases[0].name == "a"
    with pytest.raises(WorkflowInvalid):
        find("broken", tmp_path)
    with pytest.raises(WorkflowUnknown, match="there are broken, design_and_execute"):
        find("zzz", tmp_path)
    assert find(str(own / "mine.yml"), tmp_path).name == "hybrid_development"


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.yaml")), ids=lambda path: path.stem)
def test_built_in_workflows_are_called_as_their_files(path: Path) -> None:
    assert read_file(path).name == path.stem


def test_the_schema_describes_both_spellings() -> None:
    schema = json_schema()
    assert {"PhasesFile", "StepsFile", "WorkerForm"} <= schema["$defs"].keys()
    assert "own task" in schema["$defs"]["WorkerForm"]["properties"]["task"]["description"]
    json.dumps(schema)


def test_a_workflow_is_drawn(tmp_path: Path) -> None:
    found = workflow(
        "phases:\n- phase: end\n  workers: [{type: coder, task: 'say \"a < b\"'}]\n  checks: [make]\n"
        "- {phase: look, tasks: [See it]}\n"
    )
    drawn = mermaid(found)
    assert '    p_end_coder["coder<br/>say #quot;a #lt; b#quot;"]' in drawn
    assert "  p_end --> p_look" in drawn
    assert "  p_look -. rework .-> p_end" in drawn
    picture = svg(found)
    assert picture.startswith("<svg")
    assert "font-face" not in picture
    assert len(list(drawing(found))) == 3
