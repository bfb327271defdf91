"""wait_until: every wait of the lab is "until this holds, at most N seconds", and says on
time-out what was seen."""

import time


class TimedOut(AssertionError):
    """A condition did not come to hold in time. The text tells what was seen instead."""


def wait_until(condition, seconds, describe=None, what=None, tolerate=(OSError, AssertionError)):
    """Calls condition() until it returns something true, and returns that.

    seconds   how long to try; the condition is tried at least twice, however slow it is.
    describe  a callable, or several, asked for text only on time-out: object YAML, a log's
              last lines, a neighbour table.
    what      a phrase for the error; without one, the condition's name.
    tolerate  exceptions that mean "not yet"; the last one is part of the error's text.
    """
    start = time.monotonic()
    pause = 0.01
    tries = 0
    while True:
        problem = None
        value = None
        try:
            value = condition()
        except tolerate as error:
            problem = error
        if value:
            return value
        tries += 1
        if time.monotonic() - start > seconds and tries > 1:
            raise TimedOut(_explain(condition, seconds, describe, what, value, problem))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


def stays(condition, seconds, describe=None, what=None):
    """Checks over and over for so many seconds that condition() is true. For "nothing happens"
    and "it goes on": an exception in it is a failure like any other."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if not value:
            raise AssertionError(_explain(condition, seconds, describe, what, value, None)
                                 .replace("not within", "did not last for", 1))
        if time.monotonic() > end:
            return
        time.sleep(0.1)


def _explain(condition, seconds, describe, what, value, problem):
    lines = [f"not within {seconds} s: {what or getattr(condition, '__name__', condition)}"]
    if problem is not None:
        lines.append(f"the last try failed: {type(problem).__name__}: {problem}")
    else:
        lines.append(f"the last try returned {value!r}")
    for source in _as_list(describe):
        try:
            lines.append(str(source()))
        except Exception as error:  # evidence is best effort: it must not hide the time-out
            lines.append(f"(no evidence from {source!r}: {error})")
    return "\n".join(lines)


def _as_list(describe):
    if describe is None:
        return []
    return list(describe) if isinstance(describe, (list, tuple)) else [describe]
