#!/bin/sh
# Layout is clang-format's business: fails when a file is not as it would write it.
# usage: check_format.sh ROOT
set -u
cd "$1" || exit 1
files=$(git ls-files '*.c' '*.h' 2>/dev/null || find . -name '*.[ch]' -not -path './build/*')
[ -n "$files" ] || exit 1
# shellcheck disable=SC2086
clang-format --dry-run -Werror $files
