"""A switch or a driver's version that records tie to jobs comes first where it sets the harmed runs apart."""

import pytest


@pytest.mark.parametrize(("bad", "good"), [("switch:leaf-3", "switch:leaf-1"), ("driver:nvidia@550.1", "driver:nvidia@535.2")])
def test_it_comes_first_from_a_table_of_jobs_and_what_they_ran_on(folder, bad, good):
    harmed = [n % 4 == 1 for n in range(40)]
    rows = []
    for n, is_bad in enumerate(harmed):
        launch = {"time": f"2024-06-{1 + n // 2:02d}T{10 + n % 2}:00:00Z", "actor": "unix:vic", "object": f"slurm:gpu/{n}"}
        rows.append(launch | {"action": "job.launch"})
        rows += [launch | {"action": "job.node", "target": target} for target in (f"node:gpu/n{n % 7}", bad if is_bad else good)]
    folder.log("inventory", rows)
    named = [f'"slurm:gpu/{n}"' for n in range(40)]
    symptom = (", ".join(r for r, is_bad in zip(named, harmed, strict=True) if is_bad == wanted) for wanted in (True, False))
    folder.questions.append("[symptom]\nbad = [{}]\ngood = [{}]".format(*symptom))
    first = folder.examine()["causes"][0]
    assert (first["object"], first["bad_runs"], first["good_runs"], first["score"]) == (bad, 10, 0, 1)
    assert first["refs"]
