"""The broker's jars and the Java that runs them: where they are, and whether they will do.

`make` fetches the jars with Maven from `pom.xml` and compares them with `jars.sha256`, both beside
this module.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from weir.errors import WeirError

JAVA_VERSION_MIN = 17
_JAVA_REMEDY = "install one (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"


@dataclass(frozen=True)
class Java:
    """A Java launcher and its full version, `17.0.15+6`."""

    path: str
    version: str

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0].partition("+")[0])


def find(named: Path | None) -> list[Path]:
    """The jars in class path order: of the folder named (`WEIR_KAFKA_JARS`), else of `make`."""
    folder = named.absolute() if named else Path(sys.prefix) / "share" / "kafka"
    if named and (folder / "libs").is_dir():
        folder = folder / "libs"  # an unpacked distribution
    jars = sorted(folder.glob("*.jar"))
    if any(re.match(r"kafka_2\.\d+-", jar.name) for jar in jars):
        return jars
    if named:
        raise WeirError(f"WEIR_KAFKA_JARS={named}: no kafka_2.13-*.jar there nor in its libs/")
    raise WeirError(
        f"no Kafka jars in {folder}: run `make` in the repository, or set "
        f"WEIR_KAFKA_JARS to an unpacked Kafka distribution"
    )


def find_java(environment: Mapping[str, str] = os.environ) -> Java:
    """The Java of `JAVA_HOME` or of PATH, refused when it is older than Kafka needs."""
    java_home = environment.get("JAVA_HOME")
    name = str(Path(java_home) / "bin" / "java") if java_home else "java"
    path = shutil.which(name, path=environment.get("PATH"))
    if path is None:
        where = f"JAVA_HOME={java_home}" if java_home else "PATH"
        needed = f"Kafka needs {JAVA_VERSION_MIN} or newer"
        raise WeirError(f"no Java in {where}, {needed}: {_JAVA_REMEDY}")
    said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r"\(build ([0-9][^)\s,-]*)", said) or re.search(r'version "([^"]+)"', said)
    if version is None:
        raise WeirError(f"{path} -version does not say a version: {said.strip()!r}")
    java = Java(path, version[1])
    if java.major < JAVA_VERSION_MIN:
        raise WeirError(
            f"{path} is Java {java.version}, Kafka needs {JAVA_VERSION_MIN} or newer: "
            f"{_JAVA_REMEDY}"
        )
    return java
