"""`MODEL_CARD.md` of an exported model, for people. No TensorFlow."""

from pathlib import Path
from typing import Any

import jinja2

from attent_tf.choices import PathRule
from attent_tf.evaluation.folder import Evaluation
from attent_tf.export.metadata import Metadata
from attent_tf.methods import Method
from attent_tf.metrics.scores import METRICS
from attent_tf.reporting.wording import METRIC_TITLES, metric_digits, number
from attent_tf.runs import Run
from attent_tf.tasks import Task

CARD_FILE = "MODEL_CARD.md"
_TEMPLATES = Path(__file__).parent / "templates"


def make_card(run: Run, metadata: Metadata, evaluation: Evaluation | None, warnings: list[str]) -> str:
    """Writes the card.

    Args:
      run: the run that the model was exported from.
      metadata: from `make_metadata`.
      evaluation: scores of the run on test cases, where there are any.
      warnings: what is known to be wrong with it, a sentence each.

    Returns:
      Markdown.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    source, target, labelled = (run.task.domain(name).title for name in (run.source, run.target, run.labelled))
    return environment.get_template("model_card.md.j2").render(
        title=run.method.title,
        note=run.method.note,
        direction=f"{source} → {target}",
        source=source,
        target=target,
        labelled=labelled,
        task=run.task,
        metadata=metadata,
        postprocessing=run.postprocessing.text,
        warnings=warnings,
        way=_way(run.method, run.config.paths, source),
        adapted=run.method.adapts,
        scores=_scores(run.task, evaluation) if evaluation else None,
    )


def _way(method: Method, rule: PathRule, source: str) -> str:
    """Says in which style slices are segmented, if any is translated to the style of `source`; otherwise nothing."""
    if not method.translates:
        return ""
    if len(method.deployment) == 1:
        return f"A slice is translated into {source} style first, and segmented then."
    styles = " and ".join(f"in {source} style" if path.translators else "as it is" for path in method.deployment)
    if rule == "foreground":
        return f"A slice is segmented {styles}, and of the answers that one counts which gives the background least."
    weights = [path.weight for path in method.deployment]
    shares = " and ".join(f"{100 * weight / sum(weights):.3g} %" for weight in weights)
    averaged = "averaged" if len(set(weights)) == 1 else f"averaged with weights of {shares}"
    return f"A slice is segmented {styles}, and the probabilities are {averaged}."


def _scores(task: Task, evaluation: Evaluation) -> dict[str, Any]:
    means = {
        title: {metric: evaluation.structures[name][metric]["mean"] for metric in METRICS}
        for name, title in task.titles.items()
    }
    means["Average"] = evaluation.average
    return {
        "titles": [METRIC_TITLES[metric] for metric in METRICS],
        "rows": [
            (title, [number(values[metric], metric_digits(metric)) for metric in METRICS])
            for title, values in means.items()
        ],
        "cases": sum(case.labelled for case in evaluation.cases),
        **{key: evaluation.header.get(key, "") for key in ("protocol", "protocol_text", "selection")},
        "warnings": evaluation.header.get("warnings", []),
    }
