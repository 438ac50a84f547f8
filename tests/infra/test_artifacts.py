"""The code of a deployment: one folder with a name of its own, kept, and named by jobs and pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.layers.platform import artifacts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.program import Program


def test_a_deployment_keeps_the_code_that_a_run_may_still_need(program: Program) -> None:
    folder, code = program.of("Directory")["folder"], program.of("Directory")["code"]
    files = [*program.of("WorkspaceFile").values(), code, program.of("Directory")["code-pipelines"]]
    assert all(file.kept and file.inputs["path"].startswith(code.inputs["path"]) for file in files)
    assert folder.inputs["deleteRecursive"] != folder.protect, "what was kept goes with the folder"
    assert not folder.kept


def test_a_change_of_any_code_is_another_folder(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("churn.whl", "requirements.txt", "bronze.py")]
    for file in files:
        file.write_text("a")
    folders = {artifacts._digest(files)}
    for file in files:
        file.write_text("b")
        folders.add(artifacts._digest(files))
    assert len(folders) == 4
    assert artifacts._digest(files) in folders, "the same code has the same folder"


def test_pipelines_install_their_own_requirements(program: Program) -> None:
    code = f"/Workspace{program.of('Directory')['code'].inputs['path']}"
    for pipeline in program.of("Pipeline").values():
        assert pipeline.inputs["environment"] == {
            "environmentVersion": "5",
            "dependencies": [f"-r {code}/pipelines/requirements.txt", f"{code}/churn-0.1.0-py3-none-any.whl"],
        }
        (library,) = pipeline.inputs["libraries"]
        assert library["file"]["path"].startswith(f"{code}/pipelines/")
