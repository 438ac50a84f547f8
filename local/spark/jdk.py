"""The JDK that runs Spark and compiles the catalog plugin."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from local.errors import JdkError

JDK_VERSIONS = (17, 21)  # Spark 4.2 runs on both; Debian 12 has only the first, Debian 13 only the second
WANTED = "JDK " + " or ".join(str(version) for version in JDK_VERSIONS)


def jdk_version() -> int:
    """Major version of the JDK on PATH, or of JAVA_HOME, which Spark prefers.

    Raises:
        JdkError: `java` or `javac` is missing or of another version.
    """
    remedy = f"install a {WANTED} (not only a JRE) and put its bin folder first on PATH"
    if missing := [name for name in ("java", "javac") if shutil.which(name) is None]:
        raise JdkError(f"{' and '.join(missing)} not on PATH", remedy)
    programs = {"javac": remedy, "java": remedy}
    if home := os.environ.get("JAVA_HOME"):
        programs[str(Path(home, "bin", "java"))] = f"JAVA_HOME is {home}: let it name a {WANTED}, or unset it"
    version = ""
    for program, its_remedy in programs.items():
        version = _major_version(program)
        if version not in map(str, JDK_VERSIONS):
            raise JdkError(f"{program}: {version}", its_remedy)
    return int(version)


def _major_version(program: str) -> str:
    """Major version of `java` or `javac`, or what the program says instead."""
    try:
        done = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    output = (done.stderr + done.stdout).strip()
    match = re.search(r'(?:version "|^javac )(\d+)', output, re.MULTILINE)
    return match[1] if match else output
