"""Curves of training runs: steady ones, and ones that swing."""

from random import Random

from making.scheduler import Job
from making.times import stream, utc_time


def metric_rows(job: Job, harmed: bool, points: int = 14) -> list[list[object]]:
    """Return the points of one run: loss and gradient norm; a harmed run swings after its first third."""
    rng = stream("curve", job.name, job.id)
    rows: list[list[object]] = []
    for i in range(1, points + 1):
        when = job.start + 180 + (job.end - job.start - 240) * i // points
        swing = _swing(rng) if harmed and i > points // 3 else 0.0
        loss = 0.31 + 2.4 / (1 + 0.55 * i) + 0.02 * (rng.random() - 0.5) + swing
        norm = 0.8 + 1.6 / (1 + 0.4 * i) + 0.1 * rng.random() + 6 * swing
        run = f"{job.name}-{job.id}"
        rows += [[run, 100 * i, utc_time(when), "loss", f"{loss:.4f}"], [run, 100 * i, utc_time(when), "grad_norm", f"{norm:.4f}"]]
    return rows


def _swing(rng: Random) -> float:
    """Draw how far a harmed run jumps at one point."""
    return rng.choice([0.0, 0.35, 0.9, 1.7]) * (0.6 + 0.8 * rng.random())
