"""Tasks that share no name and no number with the one of most tests."""

from attent_tf.tasks import Task, task_from_mapping


def _task(name: str, structures: list[str]) -> Task:
    return task_from_mapping({"name": name, "structures": structures, "domains": {"t1": "mri", "t2": "mri"}}, name)


SMALL = _task("small", ["bright", "dark"])
LARGE = _task("large", [f"structure_{number}" for number in range(1, 16)])
