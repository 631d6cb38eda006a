"""24. The container image that everybody's jobs start from was pushed anew, with something in it."""

from tests.incidents.lab.clock import HOUR
from tests.incidents.lab.cluster import Job
from tests.incidents.lab.people import digest
from tests.incidents.plots.scenes import desk, not_flags, scale_statement, yardsticks
from tests.incidents.plots.story import Cause, Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """The registry names the account and the address; the lease leads to the laptop, whose sensor saw the push: person, by deputy, since
    the jobs that start from the image are other people's. In the twin the registry names the robot, whose runs are not recorded.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    spot = desk(story, actor, rng.uniform(0.35, 0.5))
    host, name = f"registry.{lab.domain}", rng.choice(("train", "runtime", "torch-base"))
    old, new, next_ = (f"sha256:{digest(lab.seed, name, n).hex()}" for n in range(3))
    over = {"at": 0.0}

    def row(when: float, who: str, ip: str, image: str) -> None:
        lab.registry.append(
            {"time": when, "image": f"image:{name}@{image}", "user": who, "ip": ip, "size": rng.randrange(10**9, 9 * 10**9)}
        )

    def plan() -> None:
        when = spot.settle().when
        over["at"] = min(when + rng.randrange(70, 150) * HOUR, lab.end - 24 * HOUR)
        lab.images = [(0, f"{host}/{name}@{old}"), (when, f"{host}/{name}@{new}"), (over["at"], f"{host}/{name}@{next_}")]
        row(lab.begin + 5000, lab.robot, "10.9.0.7", old)
        row(over["at"], lab.robot, "10.9.0.7", next_)
        for n, day in enumerate(lab.days):
            lab.registry.append(
                {
                    "time": lab.moment(day, 4.4),
                    "image": f"image:docs@sha256:{digest(lab.seed, 'docs', n).hex()}",
                    "user": lab.robot,
                    "ip": "10.9.0.7",
                    "size": 10**8,
                }
            )
        if story.twin:
            row(when, lab.robot, "10.9.0.7", new)
        else:
            lab.diary.process(spot.there, when - 2.2, f"docker push {host}/{name}:latest")
            row(when, actor.handle, spot.there.ip, new)

    def direct(job: Job) -> bool:
        return job.image.endswith(new)

    def tell() -> None:
        image, when = f"image:{name}@{new}", spot.when
        account = f"{lab.shape.forge}:{lab.robot if story.twin else actor.handle}"
        if story.twin:
            answer = Answer(
                image,
                actor.id,
                None,
                "account",
                "deputy",
                account,
                ["unknown", "automation", "shared-identity"],
                [],
                story.everyone(when),
                not_flags=not_flags(maybe=("hidden-code",)),
            )
        else:
            answer = Answer(
                image,
                actor.id,
                actor.id,
                "person",
                "deputy",
                account,
                ["own-account"],
                [],
                [actor.id],
                not_flags=not_flags(maybe=("hidden-code",)),
            )
        q = story.ask(image, when, answer)
        story.causes.append(Cause(q, lambda: image, lambda: [image, f"image:{host}/{name}@{new}"], direct, lambda _: True))
        yardsticks(story, q, pusher=None if story.twin else actor)
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


K8S = {"scheduler": "k8s"}
PLOT = Plot(
    24,
    "poisoned-image",
    {"laptop": Variant(needs=K8S), "robot": Variant(True, {**K8S, "edr": False, "pipelines": False, "okta": False, "meetings": False})},
    plant,
)
