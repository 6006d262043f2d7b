"""The one door to DBOS: workflows whose finished steps are never run again, kept in a SQLite file.

What crosses this door is plain JSON. A step that was interrupted is run again from its beginning, in this process or
in the next: make it safe to repeat. Workflow bodies may branch on their arguments and on results of steps only.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, WorkflowHandle

from runner.errors import StorageUnavailable

P = ParamSpec("P")
R = TypeVar("R")
VERSION = "2"
"""Raise it with every change of a workflow's order of steps: what was begun under another one is not gone on with."""
POLL_S = 0.02
"""Between two looks whether one of several workflows has ended."""
MOST_THREADS = 256
MOST_RECOVERIES = 10_000
"""Workers that may be killed over one run before it is given up."""
MOST_BYTES = 50 * 1024**2
"""A larger database is begun anew once all its runs have ended: their files tell all there is to know."""
OPEN = frozenset({"PENDING", "ENQUEUED", "DELAYED"})
WAKE = "wake"


def workflow(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function one that goes on where it stood; the name must stay."""
    return DBOS.workflow(name=name, max_recovery_attempts=MOST_RECOVERIES)


def step(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function one whose result is kept."""
    return DBOS.step(name=name)


def start(function: Callable[..., Any], workflow_id: str, *args: Any) -> None:
    """Start a workflow; one of this id that is there already is not started again."""
    with SetWorkflowID(workflow_id):
        DBOS.start_workflow(function, *args)


def first_of(workflow_ids: Sequence[str]) -> tuple[str, Any]:
    """Wait until one of these workflows has ended; return its id and result.

    Raises:
        Exception: what the workflow raised.
    """
    handles: list[WorkflowHandle[Any]] = [DBOS.retrieve_workflow(one, existing_workflow=False) for one in workflow_ids]
    ended = DBOS.wait_first(handles, polling_interval_sec=POLL_S)
    return ended.workflow_id, ended.get_result(polling_interval_sec=POLL_S)


def sleep_until_woken(limit_s: float) -> None:
    """Sleep, also over restarts, until the time is over or `Engine.wake` is called."""
    DBOS.recv(WAKE, timeout_seconds=limit_s)


class Engine:
    """DBOS at work in this process; only one process may use a folder at a time."""

    def __init__(self, folder: Path, executor_id: str) -> None:
        """Open the database in `folder`, and go on with all that was interrupted.

        Raises:
            StorageUnavailable: the database can't be used.
        """
        self.executor_id, self.folder = executor_id, folder
        database = folder / "dbos.sqlite"
        try:
            with closing(sqlite3.connect(database)) as connection:
                connection.execute("pragma journal_mode=wal")  # kept in the file; DBOS does not set it
        except sqlite3.Error as error:
            raise StorageUnavailable(database, str(error)) from error
        DBOS(config=DBOSConfig(
            name="runner", system_database_url=f"sqlite:///{database}", application_version=VERSION,
            executor_id=self.executor_id, log_level="ERROR", console_log_level="ERROR",
            serializer=DBOSPortableJSONSerializer(), max_executor_threads=MOST_THREADS,
            notification_listener_polling_interval_sec=0.5, scheduler_polling_interval_sec=60,
        ))  # fmt: skip
        DBOS.launch()

    def is_open(self, workflow_id: str) -> bool:
        """True while a workflow has not ended."""
        found = DBOS.list_workflows(workflow_ids=[workflow_id], load_input=False, load_output=False)
        return any(one.status in OPEN for one in found)

    def problem_of(self, workflow_id: str) -> str:
        """Why a workflow could not be carried to its end; empty where it was."""
        found = DBOS.list_workflows(workflow_ids=[workflow_id], load_input=False)
        return next((str(one.error or one.status) for one in found if one.status != "SUCCESS"), "")

    def wake(self, workflow_id: str) -> None:
        """End a workflow's `sleep_until_woken`, now or when it comes to it."""
        DBOS.send(workflow_id, None, WAKE)

    def close(self) -> None:
        """Stop looking for work; only where nothing is under way, for a large database is thrown away then."""
        DBOS.destroy()
        files = list(self.folder.glob("dbos.sqlite*"))
        if sum(file.stat().st_size for file in files) > MOST_BYTES:
            for file in files:
                file.unlink()

    @staticmethod
    def leave() -> None:
        """End this process at once: all that is under way is gone on with by the next one."""
        logging.shutdown()
        os._exit(0)
