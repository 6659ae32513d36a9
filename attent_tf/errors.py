"""Errors that are meant for the user.

Each message is one line: which file or argument, what was expected, what came, what to do. The command line prints the
message and exits with a code that is not 0; a traceback means a defect of this library.
"""


class AttentError(Exception):
    """Base of every error that a user can cause and mend."""


class InputError(AttentError):
    """A scan, a label file or a data folder is not what it should be."""


class ConfigError(AttentError):
    """A configuration, a method name or an option cannot be used."""


class RecordsError(AttentError):
    """A records folder is incomplete, damaged or of another schema."""


class RunError(AttentError):
    """A run folder does not hold what the command needs."""
