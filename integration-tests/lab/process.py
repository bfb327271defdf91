"""One child process of the lab."""

import ctypes
import os
import re
import signal
import subprocess
import time

from .wait import wait_until

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Process:
    """A program that runs in its own process group, writes to a log file and dies with us.

    run        the owner (run.Run): it kills what its user forgot
    arguments  the command line; arguments[0] may be a path or a name in PATH
    name       for log files and messages
    namespace  a netns.Namespace to start it in, or None
    env        variables to add to ours; a value of None removes one
    """

    def __init__(self, run, arguments, name=None, namespace=None, env=None, cwd=None):
        self.run = run
        self.name = name or os.path.basename(str(arguments[0]))
        self.arguments = [str(a) for a in arguments]
        self.namespace = namespace
        self.env = env or {}
        self.cwd = cwd
        self.log_path = run.directory / (run.unique(self.name) + ".log")
        self._child = None
        run.processes.append(self)
        self.start()

    def start(self):
        """Starts the program, again if it has ended; its log file goes on."""
        assert not self.alive, f"{self.name} is running already"
        prefix = self.namespace.exec_prefix() if self.namespace else []
        environment = {**os.environ, **self.env, **self.run.environment()}
        environment = {k: str(v) for k, v in environment.items() if v is not None}
        parent = os.getpid()
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                prefix + self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment, cwd=self.cwd, start_new_session=True,
                preexec_fn=lambda: _die_with(parent))
        return self

    @property
    def pid(self):
        return self._child.pid

    @property
    def alive(self):
        return self._child is not None and self._child.poll() is None

    @property
    def status(self):
        """The exit status: None while running, negative for a signal."""
        return self._child.poll()

    def stop(self, seconds=10):
        """Asks it to end (SIGTERM), after that many seconds makes it. Returns its status."""
        if self.alive:
            self._signal(signal.SIGTERM)
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.status

    def kill(self):
        """SIGKILL to it and to all of its group, and waits for its end."""
        if self._child is not None:
            self._signal(signal.SIGKILL)
            self._child.wait()

    def send(self, number):
        """Sends a signal to the program alone, such as SIGHUP, SIGSTOP or SIGCONT."""
        os.kill(self.pid, number)

    def wait(self, seconds):
        """Waits for its end by itself. Returns its status."""
        return self._child.wait(seconds)

    def log(self, last=None):
        """The text it wrote so far, or only the last so many lines of it."""
        text = self.log_path.read_text(errors="replace")
        return text if last is None else "\n".join(text.splitlines()[-last:])

    def describe(self):
        state = "running" if self.alive else f"ended with status {self.status}"
        return f"--- {self.name} ({state}), last lines of its log:\n{self.log(last=40)}"

    def wait_log(self, pattern, seconds, after=0):
        """Waits until its log matches the regular expression beyond that offset."""
        return wait_until(lambda: re.search(pattern, self.log()[after:]), seconds,
                          self.describe, f"{self.name} logs /{pattern}/")

    def resident_bytes(self):
        """Its resident memory now."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        """The processor time it has used so far, user and system."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _signal(self, number):
        if self._child.poll() is not None:
            return  # its number, and that of its group, may be others' by now
        try:
            os.killpg(self._child.pid, number)  # its own session: the group has its pid
        except ProcessLookupError:
            pass


def _die_with(parent):
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died between our fork and the call above
        os._exit(1)


def run_command(arguments, namespace=None, input_text=None, env=None, seconds=60, check=True):
    """Runs a short command to its end. Returns the CompletedProcess with text output; a
    failure raises CommandFailed with what it wrote."""
    prefix = namespace.exec_prefix() if namespace else []
    start = time.monotonic()
    result = subprocess.run(prefix + [str(a) for a in arguments], input=input_text, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds,
                            env={**os.environ, **(env or {})}, check=False)
    result.seconds = time.monotonic() - start
    if check and result.returncode != 0:
        raise CommandFailed(arguments, result)
    return result


class CommandFailed(AssertionError):
    """A command ended with a status other than 0."""

    def __init__(self, arguments, result):
        super().__init__(f"{' '.join(map(str, arguments))}: status {result.returncode}\n"
                         f"{result.stdout}{result.stderr}")
        self.result = result
