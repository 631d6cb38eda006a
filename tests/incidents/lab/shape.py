"""What a lab is like: which systems it runs and which of their records exist. Drawn by seed; a plot fixes what it needs."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.incidents.lab import names

DST_EDGES = (
    date(2023, 3, 12),
    date(2023, 3, 26),
    date(2023, 10, 29),
    date(2024, 3, 31),
    date(2024, 11, 3),
    date(2024, 4, 7),
    date(2025, 10, 5),
    date(2025, 3, 9),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """One lab's systems. A record kind that is off was never kept, or not handed in."""

    forge: str
    scheduler: str
    store: str
    zone: str
    first: date
    days: int
    people: int
    logins: int
    style: str
    """time stamps of host logs: `bsd` or `iso`"""
    rotate: str
    """`none`, `number`, or `gz`"""
    nat: bool
    """the forge and the store see the office as one address"""
    dhcp: bool
    edr: bool
    okta: bool
    badge: bool
    meetings: bool
    vpn: bool
    pipelines: bool
    auditd: bool
    auth: bool
    loghost: bool
    integrity: bool
    mlflow: bool
    metrics: bool
    forge_log: bool
    server: bool
    """the forge's own repository was handed in"""
    bastion: bool
    commit_in_job: bool
    mac_registered: bool
    keys_registered: bool


def draw_shape(rng: Random, needs: dict[str, Any]) -> Shape:
    """Draw a lab, with what the plot needs."""
    yes = lambda p: rng.random() < p  # noqa: E731 - a shorthand for a column of draws
    first = (
        rng.choice(DST_EDGES) - timedelta(days=rng.randrange(5, 14))
        if yes(0.35)
        else date(2023, 1, 9) + timedelta(days=rng.randrange(1000))
    )
    while first.weekday() > 4:
        first += timedelta(days=1)
    drawn = Shape(
        rng.choice(("gitlab", "github")), rng.choice(("slurm", "k8s")), rng.choice(("s3", "hdfs")), rng.choice(names.ZONES), first, rng.randrange(11, 18),
        rng.choice((rng.randrange(12, 20), rng.randrange(12, 26), rng.randrange(20, 41))), rng.randrange(1, 4), rng.choice(("bsd", "iso")), rng.choice(("none", "number", "gz")), nat=False, dhcp=True, edr=True,
        okta=yes(0.6), badge=yes(0.7), meetings=yes(0.5), vpn=True, pipelines=yes(0.5), auditd=yes(0.7), auth=True, loghost=yes(0.2), integrity=yes(0.5),
        mlflow=yes(0.6), metrics=yes(0.85), forge_log=True, server=True, bastion=yes(0.6), commit_in_job=yes(0.7), mac_registered=yes(0.6), keys_registered=yes(0.7),
    )  # fmt: skip
    return replace(drawn, **needs)
