"""Small cases for tests of the reasoning: a laboratory of four people, and logs that are written row by row."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from forensics.case.steps import Request, investigate

COLUMNS = ("time", "action", "actor", "object", "target", "prior", "ip", "device", "credential", "session", "host", "outcome")
PEOPLE = ("p-bob", "p-eve", "p-kim", "p-vic")
ORDER = {rung: n for n, rung in enumerate(("none", "change", "account", "session", "person"))}
Row = dict[str, Any]


def at(clock: str, day: int = 12) -> str:
    """Write a time of the case's month: `10:00`, `10:00:30.5`."""
    hours, minutes, *seconds = clock.split(":")
    return f"2024-06-{day:02d}T{hours}:{minutes}:{seconds[0] if seconds else '00'}Z"


class Folder:
    """A case folder in the making."""

    def __init__(self, root: Path, out: Callable[[], Path]) -> None:
        self.root, self._out = root, out
        self.window = ("2024-06-01T00:00:00Z", "2024-07-01T00:00:00Z")
        self.people: dict[str, tuple[str, str]] = dict.fromkeys(PEOPLE, ("2020-01-01T00:00:00Z", ""))
        self.identifiers: list[tuple[str, str, str, str, str]] = []
        self.sources: list[str] = []
        self.questions: list[str] = []
        self.statements: list[Row] = []
        for person in PEOPLE:
            name = person[2:]
            for identifier in (f"gitlab:{name}", f"aws:{name}", f"unix:{name}", f"token:{name}", f"device:{name}-laptop", f"badge:{name}"):
                self.holds(identifier, person)

    def holds(self, identifier: str, person: str, kind: str = "personal", since: str = "", until: str = "") -> None:
        self.identifiers.append((identifier, person, kind, since, until))

    def drop(self, *identifiers: str) -> None:
        self.identifiers = [row for row in self.identifiers if row[0] not in identifiers]

    def log(self, name: str, rows: Iterable[Row], tier: str | None = "T3", host: str = "", controllers: list[str] | None = None) -> None:
        """Hand in a log as a table in JSON lines; `clock` in a row is short for its time on the day of the act."""
        lines = [
            {
                **{k: v for k, v in row.items() if k != "clock"},
                **({"time": at(row["clock"])} if "clock" in row and "time" not in row else {}),
            }
            for row in rows
        ]
        path = self.root / "evidence" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.source(name, "table", f"evidence/{name}.jsonl", tier, host, controllers, mapped=True)

    def source(
        self,
        name: str,
        kind: str,
        path: str,
        tier: str | None = "T3",
        host: str = "",
        controllers: list[str] | None = None,
        *,
        mapped: bool = False,
        more: str = "",
    ) -> None:
        lines = ["[[source]]", f'name = "{name}"', f'kind = "{kind}"', f'path = "{path}"', more]
        lines += [f'tier = "{tier}"'] if tier else []
        lines += [f'host = "{host}"'] if host else []
        lines += [f"controllers = {json.dumps(controllers)}"] if controllers is not None else []
        lines += ["[source.map]", *(f'{c} = "{c}"' for c in COLUMNS)] if mapped else []
        self.sources.append("\n".join(lines))

    def text(self, name: str, kind: str, content: str, **keys: Any) -> None:
        path = self.root / "evidence" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        self.source(name, kind, f"evidence/{name}", **keys)

    def ask(self, reference: str, when: str = "") -> None:
        self.questions.append(
            f'[[question]]\nid = "q{len(self.questions) + 1}"\nobject = "{reference}"' + (f"\nat = {when}" if when else "")
        )

    def says(self, test: str, by: str = "p-vic", **more: Any) -> None:
        self.statements.append({"id": f"s{len(self.statements) + 1}", "by": by, "text": "as said", "test": test, "question": "q1", **more})

    def write(self) -> None:
        head = (
            'schema = "forensics/case/1"\n[case]\nid = "made-up"\ntitle = "made up"\ntimezone = "UTC"\n'
            f"from = {self.window[0]}\nto = {self.window[1]}\n"
        )
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "case.toml").write_text("\n".join([head, *self.sources, *self.questions]) + "\n")
        rows = [f"{p},A Name,engineer,{since},{until}" for p, (since, until) in self.people.items()]
        (self.root / "people.csv").write_text("\n".join(["person,name,role,employed_from,employed_to", *rows]) + "\n")
        held = [f"{i},{p},{k},{a},{b},register" for i, p, k, a, b in self.identifiers if p in self.people]
        (self.root / "identifiers.csv").write_text("\n".join(["identifier,person,kind,from,to,source", *held]) + "\n")
        said = ["[[statement]]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in s.items()) for s in self.statements]
        (self.root / "statements.toml").write_text("\n".join(said) + "\n")

    def examine(self) -> Row:
        """Examine the folder, and check what must hold of every answer, whatever the case."""
        self.write()
        found = investigate(self.root, self._out(), Request(examiner="t", time="2024-01-01T00:00:00Z", page=False), lambda _: None).findings
        for source in found["sources"]:
            assert source["bytes"] == source["bytes_parsed"] + source["bytes_skipped"] + source["bytes_rejected"], source["name"]
        for answer in found["answers"]:
            assert (answer["rung"] == "person") == (answer["person"] is not None)
            assert set(answer["candidates"]) <= set(self.people)
            assert answer["person"] is None or answer["candidates"] == [answer["person"]]
        return found

    def answer(self) -> Row:
        found: Row = self.examine()["answers"][0]
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    count = iter(range(99))
    return Folder(tmp_path / "case", lambda: tmp_path / f"out{next(count)}")


class Repository:
    """A bare repository with fixed dates, made by git itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._git("init", "-q", "--bare", str(path), where=path.parent)

    def _git(self, *arguments: str, where: Path | None = None, given: str | None = None, **more: str) -> str:
        plain = {"PATH": os.environ["PATH"], "HOME": str(self.path.parent), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(
            ["git", *arguments], cwd=where or self.path, env=plain | more, input=given, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, who: str, clock: str, content: str, *parents: str, branch: str = "main", committer: str = "") -> str:
        blob = self._git("hash-object", "-w", "--stdin", given=content)
        tree = self._git("mktree", given=f"100644 blob {blob}\ttrain.py\n")
        names = {"AUTHOR": who, "COMMITTER": committer or who}
        dates = {f"GIT_{r}_{k}": v for r, n in names.items() for k, v in (("NAME", n), ("EMAIL", f"{n}@lab.example"), ("DATE", at(clock)))}
        sha = self._git("commit-tree", tree, *(a for p in parents for a in ("-p", p)), "-m", content, **dates)
        self._git("update-ref", f"refs/heads/{branch}", sha)
        return sha


@pytest.fixture
def repository(folder: Folder) -> Repository:
    """Give the repository `train`, handed in as the server's."""
    made = Repository(folder.root / "evidence" / "train.git")
    folder.source("train", "git", "evidence/train.git", more='repo = "train"\nrole = "server"')
    return made


@pytest.fixture
def reached() -> Callable[[Row, str], bool]:
    """Tell whether an answer reaches a rung."""
    return lambda answer, rung: ORDER[answer["rung"]] >= ORDER[rung]
