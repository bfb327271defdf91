#!/bin/sh
# Compiles each header alone: a header that needs another one includes it.
# usage: check_headers.sh CC ROOT
set -u
failed=0
count=0
cd "$2" || exit 1
for header in $(git ls-files '*.h' 2>/dev/null || find . -name '*.h' -not -path './build/*'); do
    count=$((count + 1))
    printf '#include "%s"\n' "$header" |
        "$1" -std=c11 -D_GNU_SOURCE -DSTENTOR_VERSION='""' -I. -Wall -Wextra -Wno-missing-field-initializers -Wpedantic -Wno-unused-function \
            -Wno-unused-const-variable -Werror -fsyntax-only -x c - || {
        echo "$header does not compile alone"
        failed=1
    }
done
echo "$count headers"
[ "$count" -gt 0 ] && exit "$failed"
