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
FLUSH_S = 1.0
"""Longest wait for the last entries when the process ends."""


class LogQueue(QueueHandler):
    """Hands entries to the writing thread; never waits for it."""

    def __init__(self) -> None:
        super().__init__(queue.Queue(LONGEST_QUEUE))
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
        while self.queue.unfinished_tasks and time.monotonic() < deadline:  # type: ignore[attr-defined]
            time.sleep(0.005)


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
    listener = QueueListener(queued.queue, handler)
    listener.start()  # its thread is a daemon: a reader that never reads can't keep the process alive
    atexit.register(queued.flush)
    logging.basicConfig(handlers=[queued], level=level.upper(), force=True)
    logging.getLogger("router").setLevel(logging.NOTSET)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return queued
