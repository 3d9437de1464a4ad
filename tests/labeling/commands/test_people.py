"""The command that lists people."""

from labeling import Project
from tests.labeling.pool_loops import loop_of, project_of
from tests.labeling.shell import Shell


def test_people_are_listed_and_merged_where_that_is_said(tmp_path):
    shell = Shell(tmp_path)
    project = project_of(shell.storage)
    loop = loop_of(project)
    for who in ("ann", "Ann"):
        loop.tell(loop.ask(who, 1)[0], "ok")
    project.set_role("Ann", "lead")
    project.assign("Ann", loop="l", items=9)
    listed = shell("people --project p").stdout
    assert [line.split()[1:] for line in listed.splitlines()[1:]] == [["ann", "1"], ["Ann", "1", "lead", "l"]]
    assert "Would count ann as Ann: 1 answer here" in shell("people --project p --merge ann Ann").stdout
    assert project.people().height == 2
    assert shell("people --project p --merge ann Ann --yes").returncode == 0
    assert Project.open("p", shell.storage).people().select("name", "answers").rows() == [("Ann", 2)]
    again = shell("people --project p --merge ann Ann --yes")
    assert (again.returncode, "already" in again.stderr) == (1, True)
