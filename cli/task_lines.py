"""What commands say of a task."""

from attent_tf.tasks import Task


def task_lines(task: Task) -> list[str]:
    """Returns the title of a task, its structures with the numbers of their classes, and its domains with their kinds."""
    structures = ", ".join(
        f"{number} {structure.title}{'' if structure.scored else ' (not scored)'}"
        for number, structure in enumerate(task.structures, start=1)
    )
    domains = ", ".join(
        domain.name if domain.name == domain.kind else f"{domain.name} ({domain.kind})" for domain in task.domains
    )
    return [f"task {task.name}: {task.title}", f"structures: {structures}", f"domains: {domains}"]
