"""How long does another taxonomy take, and does it work at all?

    python -m benchmarks.taxonomy [--rows 20000]

Trains 150 labels and one for what is out of scope with the encoder frozen, through the real command, in folders of its
own, so that no vector is known beforehand. The texts are put together from word lists: they measure time, and that many
labels go through; how good a model of your labels is only your rows can say.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

VERBS = (
    "cancel", "renew", "pay for", "move", "complain about", "compare", "insure", "share", "track", "upgrade",
    "return", "gift", "translate", "find", "hide",
)  # fmt: skip
THINGS = (
    "train ticket", "gym membership", "hotel room", "phone contract", "parcel", "rental car", "library card",
    "dinner table", "electricity bill", "concert seat",
)  # fmt: skip
BEGINNINGS = ("please", "i want to", "can you", "how do i", "help me", "need to", "is it possible to", "hey,", "")
ENDINGS = ("", "today", "for my sister", "before monday", "it's urgent", "in berlin", "thanks", "without a fee")
ODD = ("what a sunny morning", "who won the match", "write me a poem about", "the square root of", "i feel like")
DISTRACTED = 0.3
"""Share of the texts that name another thing too."""
OUT_OF_SCOPE, SHARE = "other", 0.06


def texts(count: int, seed: int = 0) -> Iterator[dict[str, str]]:
    """So many rows; each label comes up about as often as any other."""
    random = np.random.default_rng(seed)

    def one(words: tuple[str, ...]) -> str:
        return str(random.choice(words))

    for number in range(count):
        thing = one(THINGS)
        if random.random() < SHARE:
            yield {"text": f"{one(ODD)} {thing} {one(ENDINGS)} {number}".strip(), "label": OUT_OF_SCOPE}
            continue
        verb = one(VERBS)
        aside = f"and not the {one(THINGS)}" if random.random() < DISTRACTED else ""
        text = f"{one(BEGINNINGS)} {verb} the {thing} {number} {aside} {one(ENDINGS)}".strip()
        yield {"text": text, "label": f"{verb} {thing}".replace(" ", "_")}


def main() -> int:
    """Write the rows, train, say what came of it; 1 where it took too long or failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = list(texts(options.rows))
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        labels = sorted({row["label"] for row in rows})
        (folder / "labels.yaml").write_text(json.dumps({"labels": labels, "out_of_scope": OUT_OF_SCOPE}))
        command = [
            sys.executable, "-m", "training.cli", "--data", str(folder / "rows.jsonl"), "--labels",
            str(folder / "labels.yaml"), "--models-dir", str(folder / "models"), "--json",
        ]  # fmt: skip
        began = time.perf_counter()
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        took_s = time.perf_counter() - began
    if done.returncode:
        return 1
    scores = json.loads(done.stdout)["scores"]
    print(
        f"{len(rows)} rows, {len(labels) - 1} labels and `{OUT_OF_SCOPE}`: {took_s:.0f} s; in-scope accuracy "
        f"{scores['in_scope_accuracy']:.3f}, out-of-scope recall {scores['out_of_scope_recall']:.3f}, "
        f"{scores['n']} tasks held out"
    )
    return int(took_s > 300)


if __name__ == "__main__":
    sys.exit(main())
