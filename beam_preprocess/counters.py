"""What the workers counted, as the runner reports it when the job is over."""

from typing import Any

from attent_tf.counting import counted

NAMESPACE = "attent"
CASES, SLICES, REJECTED = "cases", "slices", "cases_rejected"


def read_counters(result: Any) -> dict[str, int]:
    """Returns the job's counters by name; empty if the runner keeps none.

    Args:
      result: a Beam `PipelineResult` of a job that is over.
    """
    from apache_beam.metrics.metric import MetricsFilter

    try:
        found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    except Exception:  # runners without metrics say so each in their own way, and the records are complete without
        return {}
    # Some runners know only what was attempted, which retries may count twice.
    values = (
        (counter.key.metric.name, counter.attempted if counter.committed is None else counter.committed)
        for counter in found
    )
    return {name: int(value) for name, value in values if value is not None}


def counters_line(counters: dict[str, int]) -> str:
    """Returns a line such as `Counted by the workers: 4 cases, 22 slices, 1 rejected (content 1)`."""
    cases, slices = counted(counters.get(CASES, 0), "case"), counted(counters.get(SLICES, 0), "slice")
    line = f"Counted by the workers: {cases}, {slices}"
    prefix = f"{REJECTED}_"
    reasons = sorted(
        (name.removeprefix(prefix), value) for name, value in counters.items() if name.startswith(prefix) and value
    )
    if reasons:
        listing = ", ".join(f"{reason} {value}" for reason, value in reasons)
        line += f", {counters.get(REJECTED, 0)} rejected ({listing})"
    return line
