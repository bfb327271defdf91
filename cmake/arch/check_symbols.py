#!/usr/bin/env python3
"""Checks that pure libraries need nothing that touches the world.

usage: check_symbols.py ARCHIVE…

Runs `nm -u` over each archive and refuses symbols of input, output, time, randomness, environment,
processes, threads and logging, and of the libraries that do such things.
"""
import re
import subprocess
import sys

FORBIDDEN = re.compile(
    r"^("
    # descriptors and files
    r"socket|socketpair|bind|connect|listen|accept4?|send(to|msg)?|recv(from|msg)?|open(at)?(64)?|creat|"
    r"f?open(64)?|fdopen|freopen|fclose|fread|fwrite|fgets|fputs|fputc|fprintf|vfprintf|printf|vprintf|puts|"
    r"putchar|perror|__f?printf_chk|__vf?printf_chk|p?read(64)?|p?write(v|64)?|close|ioctl|fcntl(64)?|poll|"
    r"epoll_.*|select|mmap(64)?|stat(64)?|fstat(64)?|lstat(64)?|opendir|readdir(64)?|unlink|rename|mkdir|inotify_.*|"
    # time and chance
    r"time|clock|clock_gettime|gettimeofday|localtime.*|nanosleep|usleep|sleep|rand|random|srand|srandom|drand48|"
    r"getrandom|getentropy|arc4random.*|randombytes.*|"
    # environment, processes, threads
    r"getenv|secure_getenv|setenv|getpid|fork|execv.*|execl.*|posix_spawn.*|system|popen|kill|raise|exit|_exit|"
    r"pthread_create|signal|sigaction|getaddrinfo|gethostby.*|syslog|"
    # libraries with shells of their own
    r"uv_.*|curl_.*|pcap_.*|nl_.*|rtnl_.*|MHD_.*|json_load_file|json_loadf|json_loadfd|json_dump_file|json_dumpf|"
    r"log_(write|init).*"
    r")$"
)
# Running out of memory ends the process in one place (arena.c), which must be able to say so.
ALLOWED = {"libcommon_base_pure.a:arena.c.o": {"fprintf", "__fprintf_chk"}}


def undefined(archive):
    out = subprocess.run(["nm", "-u", "-A", archive], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        where, _, symbol = line.rpartition(" ")
        member = where.split("/")[-1].split(" ")[0].rstrip(":")
        yield member, symbol.split("@")[0]


def main():
    problems, count = [], 0
    for archive in sys.argv[1:]:
        for member, symbol in undefined(archive):
            count += 1
            if FORBIDDEN.match(symbol) and symbol not in ALLOWED.get(member, ()):
                problems.append(f"{member}: {symbol}")
    for problem in sorted(set(problems)):
        print(f"pure code may not use {problem}")
    print(f"{len(sys.argv) - 1} libraries, {count} undefined symbols, {len(problems)} forbidden")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
