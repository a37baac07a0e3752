"""Every error Diptych raises on purpose.

    DiptychError                 something the user can put right; the message says how
    ├── ConfigError              a config file, a key or a combination of values
    ├── DataError                a corpus: missing, empty, misaligned, badly encoded
    ├── CheckpointError          a checkpoint: missing, cut short, altered, of another model
    ├── RunError                 a run's folder: missing, already there, of another config
    ├── BackendError             a framework: unknown, not installed, failed in its process
    ├── WorkerError              a worker of a training that several share: lost, or out of step with the others
    ├── RefusalError             somebody else's model, or something in it, that cannot be taken over as it is
    ├── CertificateError         a conversion that does not give the same numbers
    └── UsageError               a command line that cannot be obeyed

Each message says what was received, what was expected and what to do. `UsageError`, `ConfigError` and `RefusalError`
end a command with exit code 2 (wrong usage, or refused), every other one with 1.
"""


class DiptychError(Exception):
    """The root of the tree: catch it to catch everything Diptych raises on purpose."""

    exit_code = 1


class ConfigError(DiptychError):
    """A config file, one of its keys, or a combination of values that cannot be obeyed."""

    exit_code = 2


class DataError(DiptychError):
    """A corpus that cannot be read: missing, empty, misaligned, badly encoded."""


class CheckpointError(DiptychError):
    """A checkpoint that is missing, cut short, altered, or of another model."""


class RunError(DiptychError):
    """A run's folder that is missing, already in use, or of another config."""


class BackendError(DiptychError):
    """A framework that is unknown, not installed, or whose process failed."""


class WorkerError(DiptychError):
    """One of the workers that share a training is lost, failed, or has other weights than the rest."""


class RefusalError(DiptychError):
    """A model file, or something in it, that is damaged, hostile, or of no kind that Diptych can take over exactly."""

    exit_code = 2


class CertificateError(DiptychError):
    """A conversion that does not give the same numbers; the message names the first place."""


class UsageError(DiptychError):
    """A command line that cannot be obeyed."""

    exit_code = 2


def finds_no_memory(error: BaseException) -> bool:
    """Whether an error says that there is no room: Python's own, or the dynamic loader's of a library."""
    return isinstance(error, MemoryError) or (
        isinstance(error, ImportError | OSError)
        and any(words in str(error) for words in ("failed to map segment", "annot allocate memory"))
    )
