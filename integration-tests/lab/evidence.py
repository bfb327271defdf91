"""What a failed test keeps, under build/test-output/TEST/."""

import re
import shutil

from .programs import REPOSITORY

DIRECTORY = REPOSITORY / "build" / "test-output"


class Evidence:
    """Who has something to show registers it; only a failure makes it be collected."""

    def __init__(self, parent=None):
        """parent: an Evidence whose sources count as well."""
        self._parent = parent
        self._sources = {}

    def add(self, name, describe):
        """name: of the file. describe: called for its text."""
        self._sources[name] = describe

    def add_process(self, process):
        self.add(process.log_path.name, process.log)

    def add_capture(self, name, capture):
        """Keeps a capture as NAME.pcap."""
        self._sources[f"{name}.pcap"] = capture

    def save(self, test):
        """Writes all there is into a fresh directory for that test. Returns its path."""
        directory = DIRECTORY / re.sub(r"[^\w.-]+", "-", test).strip("-")[:200]
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for name, source in self._all_sources().items():
            try:
                if hasattr(source, "save"):
                    source.save(directory / name)
                else:
                    (directory / name).write_text(str(source()))
            except Exception as error:  # one that fails must not cost us the others
                (directory / f"{name}.failed").write_text(repr(error))
        return directory

    def _all_sources(self):
        inherited = self._parent._all_sources() if self._parent else {}
        return {**inherited, **self._sources}
