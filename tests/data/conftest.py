"""Property tests here have no deadline: on a busy machine a file's write may take long, and that is no failure."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
