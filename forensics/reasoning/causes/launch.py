"""How a run was launched: its arguments and its environment, as names with values."""

import re
from collections import defaultdict
from collections.abc import Iterator

from forensics.reasoning.causes.candidates import Candidate
from forensics.reasoning.causes.runs import Row, Runs

_WORD = re.compile(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*')+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
_LONGEST = 300
"""characters of a value that is compared"""
_MOST = 400
"""words of a command line that are read"""
_RESTATED = re.compile(r"\b[0-9a-f]{40}\b|^(?:s3|hdfs)://|@sha256:|\$")
"""values that say again what is a change of its own: a commit, an object, an image; and what the shell puts in"""
_OWN = frozenset(("-J", "--job-name", "-o", "--output", "-e", "--error", "-D", "--chdir", "--name", "--run-name", "--output-dir", "--out"))
"""names of the run itself and of where it writes: they differ from run to run by nature"""


def arguments(command: str) -> dict[str, str]:
    """Return the named arguments of a command line, `--name=value` or `--name value`; a name alone has an empty value.

    Of a name that stands there twice, the last counts, as with most parsers.
    """
    words = [w.replace('"', "").replace("'", "") for w in _WORD.findall(command[: _MOST * _LONGEST])[:_MOST]]
    found: dict[str, str] = {}
    for word, after in zip(words, [*words[1:], "-"][: len(words)], strict=True):
        if word.startswith("-") and len(word) > 1:
            name, mark, value = word.partition("=")
            found[name] = value if mark else "" if after.startswith("-") else after
    return {name: value[:_LONGEST] for name, value in found.items()}


def environment(fact: Row) -> dict[str, str]:
    """Return the variables that a run was given: by its manifest, or by `--export=ALL,NAME=value` (sbatch(1))."""
    given = fact.get("env")
    found = {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    for part in arguments(fact["command"]).get("--export", "").split(","):
        name, mark, value = part.partition("=")
        if mark and _NAME.fullmatch(name):
            found[name] = value
    return {name: value[:_LONGEST] for name, value in found.items()}


def launched(compared: Runs) -> Iterator[Candidate]:
    """Yield every argument and every variable that several runs, and not all of them, were launched with."""
    for kind, told in (("argument", _arguments), ("environment", environment)):
        on: dict[str, int] = defaultdict(int)
        for n, fact in enumerate(compared.facts):
            for name, value in told(fact).items():
                if _RESTATED.search(value):
                    continue
                on[f"{kind}:{name}={value}" if value else f"{kind}:{name}"] |= 1 << n
        for reference, reached in sorted(on.items()):
            if 1 < reached.bit_count() < len(compared.jobs):
                yield Candidate(reference, kind, None, reached, reached)


def _arguments(fact: Row) -> dict[str, str]:
    return {name: value for name, value in arguments(fact["command"]).items() if name not in _OWN and name != "--export"}
