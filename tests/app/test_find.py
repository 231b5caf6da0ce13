"""What counts as an app of the project: a file that calls Modal's App, whatever it is called there."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app.find import find_apps

APPS = {
    "plain": "import modal\napp = modal.App('x')\n",
    "by another name": "import modal as m\napp = m.App('x')\n",
    "by its own name": "from modal import App as Application\napp = Application()\n",
    "in a function": "def make():\n    from modal import Stub\n    return Stub('x')\n",
    "from a submodule": "import modal.app\napp = modal.app.App('x')\n",
    "not parsed": "import modal\napp = modal.App('x'\n",
}
OTHERS = {
    "a docstring": '"""Example::\n\n    import modal\n    app = modal.App("x")\n"""\n',
    "a text": "TEXT = '''\nimport modal\napp = modal.App('x')\n'''\n",
    "a comment": "import modal\n# app = modal.App('x')\n",
    "another App": "import modal\nfrom flask import App\napp = App()\n",
    "only named": "import modal\n\ndef f(app: modal.App) -> None:\n    g(app)\n",
}


@pytest.mark.parametrize("text", APPS.values(), ids=APPS)
def test_a_file_that_makes_an_app_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "app.py").write_text(text)
    assert find_apps(tmp_path) == (tmp_path / "app.py",)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_a_file_that_only_shows_one_is_not(tmp_path: Path, text: str) -> None:
    (tmp_path / "app.py").write_text(text)
    assert find_apps(tmp_path) == ()
