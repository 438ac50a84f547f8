"""Installs the jars that pyspark lacks: Delta's and Kafka's, by Maven, and our own classes, compiled from `java/`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from local.content_hash import content_hash
from local.errors import InstallError
from local.maven import complete, copy_dependencies, publish
from local.progress import errors, step
from local.settings import cache_folder
from local.spark.jdk import jdk_version

SPARK_SOURCES = Path(__file__).parent
POM = SPARK_SOURCES / "pom.xml"
JAVA_SOURCES = SPARK_SOURCES / "java"
CLASSES_FOR = "17"  # the oldest Java that runs them: the cache may be shared by JDKs
SOURCES = "META-INF/services/org.apache.spark.sql.sources.DataSourceRegister"  # in a jar: the sources that it has
OWN_SOURCES = "lakehouse.Kafka\n"


def spark_home() -> Path:
    """Folder of the installed pyspark package, which is a whole Spark distribution.

    Raises:
        InstallError: pyspark is not installed.
    """
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise InstallError("the Python package pyspark is not installed: install requirements.lock")
    return Path(spec.origin).parent


def jars_folder() -> Path:
    """Folder of the installed jars, named by the hash of their inputs."""
    inputs = content_hash(SPARK_SOURCES, [POM, *_java_files()], [version("pyspark")])
    return cache_folder() / f"spark-{inputs[:16]}"


def install() -> Path:
    """Installs the jars in the cache, unless all are there; prints its steps to standard error.

    Returns:
        The folder of the jars.

    Raises:
        InstallError: Java, its compiler or Maven is missing or of another version, or a step failed.
    """
    target = jars_folder()
    if complete(target):
        return target
    _check_tools()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="spark-") as folder:
        build = Path(folder)
        jars = build / "jars"
        _run_step("jars of Delta and Kafka", copy_dependencies(POM, build, jars))
        _without_sources(next(jars.glob("spark-sql-kafka-*.jar")))
        classes = build / "classes"
        classpath = f"{spark_home() / 'jars'}/*:{jars}/*"
        sources = [str(path) for path in _java_files()]
        javac = ["javac", "--release", CLASSES_FOR, "-Xlint:-deprecation", "-nowarn", "-d", str(classes)]
        _run_step("catalogs and sources", [*javac, "-cp", classpath, *sources])
        with ZipFile(jars / "lakehouse.jar", "w") as jar:
            for path in sorted(classes.rglob("*.class")):
                jar.write(path, path.relative_to(classes))
            jar.writestr(SOURCES, OWN_SOURCES)
        publish(jars, target)
    return target


def _java_files() -> list[Path]:
    return sorted(JAVA_SOURCES.rglob("*.java"))


def _check_tools() -> None:
    jdk_version()
    if shutil.which("mvn") is None:
        raise InstallError("mvn is not on PATH: install Maven 3.8 or later")


def _without_sources(path: Path) -> None:
    """Takes the names of its sources from a jar: of two sources with one name Spark would choose its own."""
    whole = path.rename(path.with_suffix(".whole"))
    with ZipFile(whole) as given, ZipFile(path, "w", ZIP_DEFLATED) as kept:
        for entry in given.infolist():
            if entry.filename != SOURCES:
                kept.writestr(entry, given.read(entry))
    whole.unlink()


def _run_step(name: str, command: list[str]) -> None:
    with step(f"spark: {name}", errors):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            output = done.stdout.strip()[-4000:]
            raise InstallError(f"{name}: `{command[0]}` failed with exit code {done.returncode}:\n{output}")
