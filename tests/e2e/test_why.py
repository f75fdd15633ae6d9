"""`reloader explain` without a word: why nothing happens now, as a user asks it."""

from __future__ import annotations

import subprocess
import sys

from tests.helpers.project import BUILT, ENTRYPOINT, Project, until

PLAIN = f"[build]\n{ENTRYPOINT}"


def asked(project: Project) -> tuple[int, str]:
    command = (sys.executable, "-m", "reloader", "explain")
    done = subprocess.run(
        command, check=False, cwd=project.folder, text=True, capture_output=True, timeout=20
    )
    return done.returncode, done.stdout + done.stderr


def test_without_a_run_it_says_what_to_do(project: Project) -> None:
    """No run is no answer: status 1, and the way to one."""
    project.config(PLAIN)
    status, text = asked(project)
    assert status == 1
    assert f"no reloader runs in {project.folder}" in text
    assert "hint: start it: reloader;" in text


def test_a_run_at_rest_waits_for_a_change(project: Project) -> None:
    """Nothing is pending; a save that did nothing is explained by its file."""
    project.config(PLAIN)
    project.app()
    run = project.start()
    pid = run.wait_for("app.ready")["pid"]
    status, text = asked(project)
    assert status == 0
    assert text.startswith(f"pid {pid} runs\n  nothing is pending: reloader waits for a change\n")
    assert "reloader explain FILE" in text


def test_a_failed_build_is_shown(project: Project) -> None:
    """The version before goes on; nothing is tried before the next change."""
    project.config(f"[build]\n{BUILT}")
    project.app()
    project.build()
    run = project.start()
    project.build(mode="fail")
    run.wait_for("build.failed")
    status, text = asked(project)
    assert status == 0
    assert "; the last build failed: exit 1\n  reloader waits for a change" in text


def test_an_app_that_has_ended_waits(project: Project) -> None:
    """The way in which it ended is the reason."""
    project.config(PLAIN)
    project.app()
    run = project.start()
    project.save("app.py", "raise SystemExit(3)\n")
    run.wait_for("app.exited")
    assert asked(project)[1].startswith(
        "the app is down: exit 3\n  reloader waits for a change, or for r or b\n"
    )


def test_an_old_process_that_does_not_end(project: Project) -> None:
    """The new version waits for the end of the old one."""
    project.config(f'[build]\n{ENTRYPOINT}kill_delay = "60s"\n')
    project.app(mode="ignore")
    project.start()
    project.app("2")
    until(lambda: "the old process has not ended yet" in asked(project)[1], why=project.report)
    project.runs[-1].send(15)
    project.runs[-1].send(15)
