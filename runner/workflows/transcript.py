"""What Claude said last in a session that a person had with it: taken from the transcript that it keeps."""

import os
from pathlib import Path

from runner.agents.claude import HeadlessClaude
from runner.events import Message, Tally


def last_message(session_id: str) -> str:
    """The last thing said; empty where there is no transcript, or nothing was said."""
    home = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
    reader, tally = HeadlessClaude(Path("claude"), {}), Tally()
    for path in (home / "projects").glob(f"*/{session_id}.jsonl"):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                for event in reader.parse(line):
                    if isinstance(event, Message) and event.text.strip():
                        tally.add(event)
    return tally.message
