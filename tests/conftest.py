"""What holds for every test process, before any framework is imported."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

# Read by the frameworks when they are imported. One thread each: tests run in several processes, their tensors are
# tiny, and one process may hold both frameworks.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")

# No deadline: on a busy machine, and at a framework's first call, one example may take seconds. The examples are the
# same in every run; `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile(
    "tests", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(scope="session")
def need_frameworks():
    """Skips a test where one of these backends is not installed."""
    from diptych.panel import is_installed

    def need(*backends):
        if missing := [name for name in backends if not is_installed(name)]:
            pytest.skip(f"not installed: {', '.join(missing)}")

    return need


@pytest.fixture(scope="session")
def both_frameworks(need_frameworks):
    """For tests that need TensorFlow and PyTorch."""
    need_frameworks("tensorflow", "pytorch")


@pytest.fixture(scope="session")
def with_pytorch(need_frameworks):
    """For tests that need PyTorch."""
    need_frameworks("pytorch")


@pytest.fixture(scope="session")
def start_chromium(tmp_path_factory):
    """Starts a headless Chromium that asks nobody for anything by itself; its log tells what a page asks for."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install -e '.[dev]'")
    browser, driver = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("no chromium and chromedriver here; Debian and Ubuntu: apt-get install chromium chromium-driver")

    def start():
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for switch in (
            "headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run", "disable-sync",
            "disable-background-networking", "disable-component-update", "window-size=1200,900",
            f"user-data-dir={tmp_path_factory.mktemp('chromium')}",
        ):  # fmt: skip
            options.add_argument(f"--{switch}")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))

    return start


@pytest.fixture(scope="session")
def chromium(start_chromium):
    """One browser for all tests."""
    found = start_chromium()
    yield found
    found.quit()
