"""What is segmented and between which domains: tasks as data, those that ship and the user's own."""

from attent_tf.tasks.anatomy_rule import RELATIONS, AnatomyRule
from attent_tf.tasks.domain import DEFAULT_RULES, KINDS, Domain
from attent_tf.tasks.intensity_rule import IntensityRule
from attent_tf.tasks.intensity_text import parse_rule, rule_from_json, rule_text, rule_to_json
from attent_tf.tasks.load import DEFAULT_TASK, SHIPPED_TASKS, load_task
from attent_tf.tasks.mapping import task_from_mapping, task_to_mapping
from attent_tf.tasks.structure import BACKGROUND, BODY, BONE, Structure
from attent_tf.tasks.task import Task

__all__ = [
    "BACKGROUND",
    "BODY",
    "BONE",
    "DEFAULT_RULES",
    "DEFAULT_TASK",
    "KINDS",
    "RELATIONS",
    "SHIPPED_TASKS",
    "AnatomyRule",
    "Domain",
    "IntensityRule",
    "Structure",
    "Task",
    "load_task",
    "parse_rule",
    "rule_from_json",
    "rule_text",
    "rule_to_json",
    "task_from_mapping",
    "task_to_mapping",
]
