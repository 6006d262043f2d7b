"""The service's log: one line of JSON an entry on stderr, written by a thread of its own.

A reader of stderr that stalls costs log lines (counted), never an answer.
"""

import atexit
import logging
import queue
import sys
import time
from logging.handlers import QueueHandler, QueueListener
from typing import TextIO

import structlog

LONGEST_QUEUE = 10_000
"""Entries that wait for a slow reader; more are dropped."""
LOOK_S = 0.05
"""How often the writing thread looks for entries."""
FLUSH_S = 1.0
"""Longest wait for the last entries when the process ends."""


class LogQueue(QueueHandler):
    """Hands entries to the writing thread; never waits for it."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[logging.LogRecord] = queue.Queue(LONGEST_QUEUE)
        super().__init__(self.waiting)
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Leave formatting to the other thread: nothing is pickled here."""
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue an entry, or count it as dropped."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def flush(self) -> None:
        """Wait a moment until what is queued has been written."""
        deadline = time.monotonic() + FLUSH_S
        while self.waiting.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.005)


class Lines(QueueListener):
    """Writes what is queued now and then: woken for each entry, it would hold up the answer that the entry is about."""

    def __init__(self, waiting: "queue.Queue[logging.LogRecord]", handler: logging.Handler) -> None:
        super().__init__(waiting, handler)
        self.waiting = waiting

    def dequeue(self, block: bool) -> logging.LogRecord:  # noqa: FBT001
        """Return the next entry."""
        while self.waiting.empty():
            time.sleep(LOOK_S)
        return super().dequeue(block)


def log_to(stream: TextIO = sys.stderr, level: str = "info") -> LogQueue:
    """Send every log entry of this process to `stream`; no task text is in them."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso"),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    queued = LogQueue()
    listener = Lines(queued.waiting, handler)
    listener.start()  # its thread is a daemon: a reader that never reads can't keep the process alive
    atexit.register(queued.flush)
    logging.basicConfig(handlers=[queued], level=level.upper(), force=True)
    logging.getLogger("router").setLevel(logging.NOTSET)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return queued
