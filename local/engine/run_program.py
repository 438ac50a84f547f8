"""Runs one Pulumi program against the engine: run_program.py SETTINGS ENTRY [ARGUMENTS].

The language host starts it as a process of its own with the program's interpreter, so it may import the SDK but nothing
of this project.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import logging
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Ctrl-C ends the program at once and silently: the engine reports it, and a traceback would only hide the report. The
# handler precedes the imports, which take a second.
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import pulumi
from pulumi.runtime.stack import ResourceRegistrationFailed, run_in_stack

ALREADY_SHOWN = 32
"""Exit code of a program whose error the user has seen, so that the engine adds none of its own."""


def program_traceback(error: BaseException) -> str:
    """The error's traceback from the program's first frame on, without the frames that started the program."""
    starters = (
        __file__,
        runpy.__file__,
        "<frozen ",
        *(str(Path(inspect.getfile(of)).parent) for of in (asyncio, pulumi)),
    )
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    lead = itertools.takewhile(lambda frame: frame.f_code.co_filename.startswith(starters), frames)
    shown = traceback.TracebackException.from_exception(error)
    del shown.stack[: len(list(lead))]
    return "".join(shown.format())


def main(settings: dict[str, object], entry: Path) -> int:
    """Runs the program to its end and returns the exit code."""
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))  # type: ignore[arg-type]  # checked by the protocol
    sys.path[0] = str(entry if entry.is_dir() else entry.parent)
    # Outputs that a failed resource leaves unevaluated must not be reported again as tasks that were never awaited.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    parallel = settings.get("parallel")
    if isinstance(parallel, int) and parallel > 0:
        loop.set_default_executor(ThreadPoolExecutor(max_workers=min(parallel, 64)))

    def program() -> None:
        runpy.run_path(str(entry), run_name="__main__")

    try:
        loop.run_until_complete(run_in_stack(program))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except ResourceRegistrationFailed:
        pass  # the engine has shown the resource's own error
    except SystemExit as error:
        if error.code in (None, 0):
            return 0
        pulumi.log.error(f"The program ended itself: {error.code}")
    except Exception as error:  # noqa: BLE001 (whatever the program raises is shown)
        pulumi.log.error("The program failed:\n" + program_traceback(error))
    else:
        return 0
    return ALREADY_SHOWN


if __name__ == "__main__":
    _, settings_text, *sys.argv[:] = sys.argv  # the program sees its own entry and arguments
    sys.exit(main(json.loads(settings_text), Path(sys.argv[0])))
