"""A run owns everything that it makes: processes, network namespaces, a directory.

Ownership is written where a stranger can read it. The run's name is
`stentor-SPACE-PID-START`, PID being the owning process, START the moment that it was started
and SPACE the PID namespace in which that is its number, which together name one process for
ever. Network namespaces are called NAME-…, the directory NAME, and every child carries NAME in
its environment. Whoever finds such a thing can tell whether its owner lives, or that it is none
of his business: a container's processes are seen from its host, by other numbers.

Three things remove what a run made, each sufficient:
  1. the owner, at its end (Run.close, also from atexit and on SIGTERM);
  2. the warden, a child that reads a pipe which only the owner holds open: whatever way the
     owner ends, SIGKILL included, the warden reads end-of-file and sweeps;
  3. the next run on the machine, which sweeps what has no living owner.
"""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ENVIRON = "STENTOR_LAB_RUN"
NETNS_DIR = Path("/run/netns")
_NAME = re.compile(r"stentor-(\d+)-(\d+)-(\d+)\b")


class Run:
    """Everything that one owner makes. Closing it twice is allowed."""

    def __init__(self, keep_signals=False):
        """keep_signals: leave SIGTERM and SIGHUP as they are (the caller handles them)."""
        sweep_stale()
        self.name = name_of(os.getpid(), start_time(os.getpid()))
        self.directory = Path(tempfile.gettempdir()) / self.name
        self.directory.mkdir(mode=0o755, exist_ok=True)
        self.processes = []
        self._owner = os.getpid()
        self._closed = False
        self._counter = 0
        self._lock = threading.Lock()
        self._warden = self._start_warden()
        atexit.register(self.close)
        if not keep_signals and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, _exit_by_signal)

    def unique(self, stem):
        """A path component no one else of this run gets: STEM-1, STEM-2, …"""
        with self._lock:
            self._counter += 1
            return f"{stem}-{self._counter}"

    def make_directory(self, stem):
        path = self.directory / self.unique(stem)
        path.mkdir()
        return path

    def environment(self):
        """The mark that a child process must carry in its environment."""
        return {ENVIRON: self.name}

    def close(self):
        if self._closed or os.getpid() != self._owner:  # a fork is not the owner
            return
        self._closed = True
        for process in reversed(self.processes):
            process.kill()
        sweep(self.name)
        os.close(self._warden_pipe)
        self._warden.wait(timeout=30)

    def _start_warden(self):
        end_read, self._warden_pipe = os.pipe()
        # Its own session: Ctrl-C at a terminal must not kill it before it has swept.
        warden = subprocess.Popen([sys.executable, __file__, self.name], stdin=end_read,
                                  start_new_session=True, stdout=subprocess.DEVNULL)
        os.close(end_read)
        return warden


def _exit_by_signal(number, _frame):
    # What Ctrl-C does: unwinds fixtures and runs atexit. pytest would take SystemExit for a
    # failed test and go on.
    raise KeyboardInterrupt(signal.Signals(number).name)


def start_time(pid):
    """The moment that a process started, in clock ticks since boot (proc(5), field 22)."""
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text.rpartition(")")[2].split()[19])


def name_of(pid, start):
    """The name of the run of a process in our PID namespace."""
    return f"stentor-{_pid_namespace()}-{pid}-{start}"


def _pid_namespace():
    return os.stat("/proc/self/ns/pid").st_ino


def owner_is_alive(name):
    """Whether the owner of a thing called NAME… lives. What we cannot know counts as alive."""
    match = _NAME.match(name)
    if not match or int(match[1]) != _pid_namespace():
        return True
    try:
        return start_time(int(match[2])) == int(match[3])
    except (OSError, IndexError):
        return False


def sweep_stale():
    """Removes what runs left behind whose owner is gone. Returns the names of those runs."""
    names = {match[0] for match in map(_NAME.match, _all_marks()) if match}
    stale = sorted(name for name in names if not owner_is_alive(name))
    for name in stale:
        sweep(name)
    return stale


def sweep(name):
    """Removes every process, network namespace and directory of the run of that name."""
    _kill_all(lambda: processes_of(name))
    for namespace in namespaces_of(name):
        delete_namespace(namespace)
    shutil.rmtree(Path(tempfile.gettempdir()) / name, ignore_errors=True)


def delete_namespace(full_name):
    """Removes a network namespace of a run, and first the processes in it: some do not carry the
    run's mark, such as BIRD, which is started with an environment of its own and outlives a speaker
    that is killed."""
    _kill_all(lambda: _netns_pids(full_name))
    subprocess.run(["ip", "netns", "del", full_name], check=False, stderr=subprocess.DEVNULL)


def namespaces_of(name):
    return [n for n in _listdir(NETNS_DIR) if n.startswith(name + "-")]


def processes_of(name):
    """The processes that carry the run's mark, without the caller."""
    return [pid for pid, mark in _marked_processes() if mark == name]


def _all_marks():
    yield from _listdir(NETNS_DIR)
    yield from _listdir(tempfile.gettempdir())
    yield from (mark for _, mark in _marked_processes())


def _marked_processes():
    key = ENVIRON.encode() + b"="
    for entry in _listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            environment = Path(f"/proc/{entry}/environ").read_bytes()
        except OSError:  # another user's, or just gone
            continue
        for variable in environment.split(b"\0"):
            if variable.startswith(key):
                yield int(entry), variable[len(key):].decode(errors="replace")


def _netns_pids(namespace):
    result = subprocess.run(["ip", "netns", "pids", namespace], check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [int(pid) for pid in result.stdout.split() if int(pid) != os.getpid()]


def _kill_all(list_pids):
    """Kills until none is listed: a process may fork while it is being looked for."""
    for _ in range(100):
        pids = [pid for pid in list_pids() if not is_dead(pid)]
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        for pid in pids:
            _await_death(pid)


def _await_death(pid):
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        import select
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        poller.poll(2000)
    finally:
        os.close(descriptor)


def is_dead(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def _listdir(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def _warden_main(name):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.buffer.read()  # until the owner is gone
    sweep(name)


if __name__ == "__main__":
    _warden_main(sys.argv[1])
