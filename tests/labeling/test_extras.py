import sys

import numpy as np
import pytest

from labeling import ADWIN, DDM, KSWIN, NetworkClassifier, PageHinkley, PictureClassifier
from labeling.executors import map_in_order
from labeling.extras import extra

USERS = {
    "river": [
        lambda: ADWIN().detector(1),
        lambda: PageHinkley().detector(1),
        lambda: DDM().detector(1),
        lambda: KSWIN().detector(1),
    ],
    "torch": [
        lambda: NetworkClassifier().fit(np.eye(2), np.eye(2)),
        lambda: PictureClassifier().fit(np.zeros((2, 64)), np.eye(2)),
    ],
    "processes": [lambda: list(map_in_order(abs, [1], "processes"))],
}
PACKAGES = {"processes": "loky"}


@pytest.mark.parametrize("name", USERS)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(name, monkeypatch):
    package = PACKAGES.get(name, name)
    for module in [each for each in sys.modules if each.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Missing(package), *sys.meta_path])
    for use in USERS[name]:
        with pytest.raises(ModuleNotFoundError, match=rf"needs {package}: pip install 'tally-labeling\[{name}\]'"):
            use()


class Missing:
    """Finds no module of a package."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_package_that_another_lacks_is_not_taken_for_it(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [Missing("colorsys"), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ModuleNotFoundError, match="This needs colorsys: pip install colorsys"):
        extra("colorsys", "This")
