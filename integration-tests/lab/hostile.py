"""A hundred texts that no field of an object should let through to BIRD's configuration.

    texts("192.0.2.1")   all of them, made for a field in which 192.0.2.1 would be right

BIRD's language has strings in quotation marks without any escape, comments to the end of the line
(#) and between /* and */, and statements that end with a semicolon or a brace."""

_EVIL = "protocol static evil { ipv4; route 0.0.0.0/0 blackhole; }"
_TAILS = (
    '"', '""', "'", "`", ";", "{", "}", "};", "#", "/*", "*/", "/**/", "//", "\\", '\\"', "\\n", "\\0", "\\x22",
    "\n", "\r", "\r\n", "\n\n", "\t", "\v", "\f", "\b", "\a", "\0", "\0x", "\x1b[2J", "\x7f", "\x01",
    "\x85", "\xa0", "\u200b", "\u202e", "\u2028", "\u2029", "\ufeff", "\uff02", "\u201c\u201d", "\U0001f4a3",
    "e\u0301", "\u0661", "%s%n", "%00", "%22", "${IFS}", "$(reboot)", "../../../etc/passwd", "--",
    f'"; }} {_EVIL} #', f'"; }}\n{_EVIL}\n#', f"\n{_EVIL}\n", f"; }} {_EVIL} #", f"}} {_EVIL}", f"*/ {_EVIL} /*",
    '"; include "/etc/shadow"; #', '\ninclude "/etc/shadow";\n', "\nrouter id 192.0.2.66;\n",
    '"; log "/tmp/evil" all; #', "; export all; import all; #", "\r\n; import all;\r\n", " as 65000; #",
    " port 22 as 65000;", "\n+\n", "0000 \n", "9001 syntax error\n", "\nerror: BGPPeer/metallb-system/forged: spec: x",
)
_ALONE = (
    " ", "\n ", '"', "*", "~", "-", "_", ".", "..", "/", ":", "::", "0", "-1", "null", "true", "{}", "[]", "p_tor",
    "f_p_tor", "reject", "protocol", "external",
)
_SIZE = 64 << 10
_LONG = ("A", '"', "\n", "};", "\0", "\u201c", " ", "1.")


def texts(good):
    """Different from each other; each is wrong in its own way."""
    made = [good + tail for tail in _TAILS]
    made += _ALONE
    made += [unit * (_SIZE // len(unit)) for unit in _LONG]
    assert len(set(made)) == len(made) == 100, (len(set(made)), len(made))
    return made
