import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from labeling.formats.writing.whole_files import digest, sweep, whole

ROOT = Path(__file__).resolve().parents[4]
WRITER = """
import sys, time
from pathlib import Path
from labeling.formats.writing.whole_files import whole
with whole(Path(sys.argv[1])) as part:
    part.write_text("half")
    print(part, flush=True)
    sys.stdin.read()
"""
SWAPPER = """
import os, sys
from pathlib import Path
from labeling.formats.writing.whole_files import whole
rename = Path.rename
def stop(self, target):
    if self.parent.name == "new":
        print("taken away", flush=True)
        sys.stdin.read()
    return rename(self, target)
Path.rename = stop
with whole(Path(sys.argv[1])) as part:
    part.mkdir()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def started():
    processes = []

    def start(code, destination):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(destination)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_what_is_written_appears_when_the_block_ends_well(tmp_path):
    target = tmp_path / "out.txt"
    with whole(target) as part:
        part.write_text("all of it")
        assert not target.exists()
    assert (names(tmp_path), target.read_text()) == (["out.txt"], "all of it")


def test_an_error_leaves_what_stood_there_and_nothing_else(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("before")
    with pytest.raises(FileNotFoundError), whole(target) as part:
        (part.parent / "gone" / "half").write_text("half")
    assert (names(tmp_path), target.read_text()) == (["out.txt"], "before")


def test_a_killed_writer_leaves_a_part_that_the_next_one_removes(tmp_path, started):
    process, part = started(WRITER, tmp_path / "out.txt")
    kill(process)
    assert Path(part).read_text() == "half"
    with whole(tmp_path / "other.txt") as new:
        new.write_text("whole")
    assert names(tmp_path) == ["other.txt"]


def test_the_part_of_a_writer_that_lives_stays(tmp_path, started):
    process, part = started(WRITER, tmp_path / "out.txt")
    sweep(tmp_path)
    with whole(tmp_path / "other.txt") as new:
        new.write_text("whole")
    assert Path(part).read_text() == "half"
    process.communicate("go on")
    assert names(tmp_path) == ["other.txt", "out.txt"]


def test_two_writers_of_one_process_leave_each_other_alone(tmp_path):
    with whole(tmp_path / "a.txt") as a:
        a.write_text("a")
        with whole(tmp_path / "b.txt") as b:
            b.write_text("b")
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_a_folder_that_a_killed_writer_had_taken_away_comes_back(tmp_path, started):
    target = tmp_path / "set"
    target.mkdir()
    (target / "rows").write_text("years of work")
    process, said = started(SWAPPER, target)
    assert (said, target.exists()) == ("taken away", False)
    kill(process)
    sweep(tmp_path)
    assert (target / "rows").read_text() == "years of work"
    assert names(tmp_path) == ["set"]


def test_what_only_looks_like_a_part_stays(tmp_path):
    for name in (".notes.part", ".tally-0123456789abcdef.part.txt", "tally-0123456789abcdef.part"):
        (tmp_path / name).mkdir()
    (tmp_path / ".tally-0123456789abcdef.part").write_text("a file")
    before = names(tmp_path)
    sweep(tmp_path)
    assert names(tmp_path) == before


def test_a_part_that_is_a_link_leads_to_no_removal(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "thesis").write_text("years of work")
    here = tmp_path / "here"
    here.mkdir()
    (here / ".tally-0123456789abcdef.part").symlink_to(kept)
    sweep(here)
    assert (kept / "thesis").read_text() == "years of work"


def test_any_name_that_a_file_can_have_can_be_written(tmp_path):
    target = tmp_path / ("ä" * 125 + ".txt")
    with whole(target) as part:
        part.write_text("x")
    assert names(tmp_path) == [target.name]


def test_the_digest_of_a_folder_is_that_of_the_list_a_shell_prints(tmp_path):
    (tmp_path / "b").mkdir()
    for name, content in (("b/ä.txt", "1"), ("a b.txt", "2"), ("Z", "3")):
        (tmp_path / name).write_text(content)
    line = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    shell = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert digest(tmp_path) == shell.stdout.split()[0]
    assert digest(tmp_path / "Z") == hashlib.sha256(b"3").hexdigest()


def test_a_part_is_for_its_writer_alone(tmp_path):
    with whole(tmp_path / "out.txt") as part:
        part.write_text("secret")
        assert part.parent.parent.stat().st_mode & 0o077 == 0
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
