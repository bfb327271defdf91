# Shared by ./demo and ./test: where things are, how to say what happens, what the machine needs.
# Sourced with the repository as the working directory.

# say TEXT…: a line of progress that stands out from what programs print.
say() {
    printf '\033[1m== %s\033[0m\n' "$*"
}

# die TEXT…: says what is wrong and what to do, and ends.
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Packages of scripts/packages.txt that are not installed.
missing_packages() {
    sed 's/#.*//' scripts/packages.txt | while read -r name; do
        [ -n "$name" ] || continue
        dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
    done
}

# Installs what is missing; fast when nothing is.
ensure_packages() {
    command -v dpkg-query >/dev/null || die "this needs Debian 12 (dpkg-query is not here)"
    local missing
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    say "installing Debian packages:" $missing
    local as_root=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "run this as root, or install first:" $missing
        as_root=sudo
    fi
    $as_root apt-get update -q || die "apt-get update failed; is the package mirror reachable?"
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing ||
        die "could not install:" $missing
}

# build PRESET [TARGET…]: configures once and builds; quiet when nothing changed. What was compiled
# before, in this clone or another, comes from the user's ccache; a launcher that the environment
# names is taken instead. Who builds in the same folder meanwhile waits.
build() {
    local preset=$1
    local cached="env;CCACHE_BASEDIR=$PWD;CCACHE_NOHASHDIR=1;ccache"
    shift
    mkdir -p build
    if [ ! -f "build/$preset/build.ninja" ]; then
        CMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER-$cached} \
            cmake --preset "$preset" >"build/configure-$preset.log" 2>&1 ||
            { cat "build/configure-$preset.log"; die "cmake --preset $preset failed"; }
    fi
    flock "build/$preset.lock" ninja -C "build/$preset" --quiet "$@" || die "the $preset build failed"
}

# Root is needed for network namespaces.
need_root() {
    [ "$(id -u)" = 0 ] || die "$0 makes network namespaces and needs root: sudo $0"
}
