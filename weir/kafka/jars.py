"""The broker's jars and the Java that runs them: where they are, and whether they will do.

`make` fetches the jars with Maven from `pom.xml` and compares them with `jars.sha256`, both beside
this module.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from weir.errors import WeirError
from weir.home import settings

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


def find() -> list[Path]:
    """The jars in the order of the class path: of `WEIR_KAFKA_JARS`, else as fetched by `make`."""
    named = settings().kafka_jars
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


def find_java() -> Java:
    """The Java of `JAVA_HOME` or of PATH, refused when it is older than Kafka needs."""
    java_home = os.environ.get("JAVA_HOME")
    path = str(Path(java_home) / "bin" / "java") if java_home else shutil.which("java")
    if path is None or shutil.which(path) is None:
        where = f"JAVA_HOME={java_home}" if java_home else "PATH"
        raise WeirError(
            f"no Java in {where}, Kafka needs {JAVA_VERSION_MIN} or newer: {_JAVA_REMEDY}"
        )
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
