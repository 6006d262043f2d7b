"""The service under load and fault, in short: `python -m benchmarks.faults` runs the same for longer."""

from collections.abc import Callable

import pytest

from benchmarks import disturb, faults, writes

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(
            lambda: faults.overload(2.0), id="ten times too much gets 200 or 503, and it is well again at once"
        ),
        pytest.param(faults.refusal_says_when_to_come_back, id="a refusal says when to come back"),
        pytest.param(lambda: faults.stalling(30), id="who stalls or leaves keeps nobody waiting, and is ended"),
        pytest.param(lambda: faults.idle(1200), id="idle connections give way to new ones"),
        pytest.param(lambda: disturb.swap_under_load(6), id="a swapped model fails no request and mixes no answer"),
        pytest.param(disturb.damage_and_mend, id="a damaged model means rules until it is mended"),
        pytest.param(lambda: writes.journal_locked(3.0), id="a locked journal is written later"),
        pytest.param(writes.journal_full, id="a full disk fails no route"),
        pytest.param(writes.journal_read_only, id="a journal that may only be read fails no route"),
        pytest.param(writes.server_gone, id="a database server that goes and comes back loses nothing"),
        pytest.param(writes.terminated, id="SIGTERM answers what is in flight and writes it down"),
        pytest.param(lambda: writes.killed(1.0), id="kill -9 loses no acknowledged outcome"),
    ],
)
def test_the_service_holds(scenario: Callable[[], dict[str, object]]) -> None:
    assert scenario()
