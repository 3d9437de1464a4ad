"""What others see of the packages: light imports, requirements that agree, a wheel that serves the app."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labeling.commands.parts.server import free_port, is_free

ROOT = Path(__file__).resolve().parents[1]
# Each of these takes between a third of a second and several seconds to import.
HEAVY = [
    "torch",
    "snorkel",
    "sklearn",
    "datasets",
    "pandas",
    "scipy.stats",
    "pyarrow.dataset",
    "streamlit",
    "distributed",
]


@pytest.mark.parametrize("package", ["labeling", "strategies", "storage"])
def test_an_import_brings_nothing_heavy(package: str) -> None:
    code = f"import sys, {package}; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line)


def test_every_dependency_has_a_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[\[><=]", dependency)[0] for dependency in project["dependencies"]}
    assert named <= pins("requirements.txt").keys()


def test_no_package_is_pinned_twice() -> None:
    assert not pins("requirements.txt").keys() & pins("requirements-dev.txt").keys()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, so that nothing is left among them."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "app.py"):
        shutil.copy(ROOT / name, source)
    for name in ("labeling", "strategies", "storage", "ui", "tests", "scripts", "benchmarks"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    made = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-c", code, str(made)], cwd=source, check=True, capture_output=True, text=True)
    (path,) = made.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel is unpacked, as an installer does."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_the_four_packages_and_no_module_called_app(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packages = {name.partition("/")[0] for name in names if not name.startswith("tally_labeling-")}
    assert packages == {"labeling", "strategies", "storage", "ui"}


def test_the_wheel_holds_what_the_packages_read_beside_their_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    here = {
        str(path.relative_to(ROOT))
        for package in ("labeling", "strategies", "storage", "ui")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here <= names


def test_a_checkout_and_an_installed_app_have_the_same_settings() -> None:
    files = (ROOT / ".streamlit" / "config.toml", ROOT / "ui" / "entry" / "config.toml")
    checkout, installed = (tomllib.loads(file.read_text(encoding="utf-8")) for file in files)
    assert checkout == installed


def command(site: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The installed command line, and an environment that tries to open it to the world."""
    environment = {name: value for name, value in os.environ.items() if name != "LABELING_STORAGE"}
    hostile = {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0", "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false"}
    return [sys.executable, "-m", "labeling", *arguments], {**environment, **hostile, "PYTHONPATH": str(site)}


@pytest.fixture
def served(site: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The installed app, served from an empty folder until it says that it serves; process and port."""
    port = free_port()
    arguments, environment = command(site, "serve", "--port", str(port), "--address", "127.0.0.1")
    server = subprocess.Popen(arguments, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        said = next((line for line in server.stdout if f"http://127.0.0.1:{port}/" in line), None)
        assert said is not None, "it ended before it served"
        yield server, port
    finally:
        server.kill()
        server.communicate()


def test_every_setting_reaches_the_server_whatever_the_folder_says(site: Path, tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\nallowedHosts = []\n')
    code = """
import json
from streamlit import config
from streamlit.web import bootstrap
from ui.entry.serve import settings
wanted = settings(8700)
bootstrap.load_config_options(wanted)
print(json.dumps([wanted, {name: config.get_option(name) for name in wanted}]))
"""
    _, environment = command(site)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    wanted, found = json.loads(done.stdout)
    assert found == wanted
    assert (found["server.address"], found["server.allowedHosts"]) == ("127.0.0.1", ["127.0.0.1", "localhost"])


def test_from_an_empty_folder_it_listens_on_this_machine_alone(served: tuple[subprocess.Popen[str], int]) -> None:
    server, port = served
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    bound = {
        (connection.laddr.ip, connection.laddr.port)
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert bound == {("127.0.0.1", port)}


def test_a_killed_command_leaves_no_server_behind(served: tuple[subprocess.Popen[str], int]) -> None:
    server, port = served
    children = psutil.Process(server.pid).children(recursive=True)
    assert children
    server.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    assert is_free(port)


def test_a_port_in_use_is_named(served: tuple[subprocess.Popen[str], int], site: Path, tmp_path: Path) -> None:
    _, port = served
    for name in ("serve", "demo"):
        arguments, environment = command(site, name, "--port", str(port))
        done = subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        said = f"Error: Port {port} of this machine is in use. Give another one with --port."
        assert (done.returncode, done.stderr.strip()) == (1, said)
