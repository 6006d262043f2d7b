"""An interactive program in a window of tmux: started there by `python -m runner.sessions.window FOLDER`.

FOLDER/window.json         the command, readable by the user alone; removed once it is read
       lock                held while the window is open
       window-ended.json   how the program ended
"""

import json
import sys
import threading
from pathlib import Path

from runner.census import MARK
from runner.lock import locked
from runner.process import Command
from runner.storage import write_whole

STARTS_S = 5.0


def main(folder: Path) -> int:
    """Run the command that lies in `folder` in this terminal, and write down how it ended."""
    with locked(folder / "lock", STARTS_S):
        order = json.loads((folder / "window.json").read_bytes())
        (folder / "window.json").unlink()
        env = order["env"]
        command = Command(tuple(order["argv"]), Path(order["cwd"]), env)
        from runner.terminal.terminal import lend

        code = lend(command, env[MARK], threading.Event(), order["grace_s"])
        write_whole(folder / "window-ended.json", json.dumps({"code": code}))
        return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
