#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sensor-gen in a container, with docker or podman, whichever is there

set -eu

usage() {
        cat <<'END'
Usage: ./run-in-container.sh [ARGUMENT…]

Builds the image if it is not there, and runs sensor-gen in it with ARGUMENTs (-d 10s -v where there are none). What
it writes appears in $OUTPUT_DIR (the current directory), owned by you.

  OUTPUT_DIR       where output.jsonl, or what -o names, goes
  I4_IMAGE         the image (i4); build it anew with: docker build -f Containerfile -t i4 .
  CONTAINER_ENGINE docker or podman, where both are there

Exit status: that of sensor-gen; 125 to 127 are the engine's; 2 there is no engine.
END
}

complain() {
        echo "run-in-container.sh: $*" >&2
        exit 2
}

find_engine() {
        for engine in ${CONTAINER_ENGINE:-docker podman}; do
                if command -v "$engine" >/dev/null 2>&1; then
                        return
                fi
        done
        complain "needs docker or podman, and finds neither; without a container: tools/quickstart"
}

case ${1:-} in
--help)
        usage
        exit 0
        ;;
esac

top=$(cd "$(dirname "$0")" && pwd)
image=${I4_IMAGE:-i4}
output=${OUTPUT_DIR:-.}

find_engine
mkdir -p "$output" || complain "cannot make OUTPUT_DIR=$output"
output=$(cd "$output" && pwd)

if ! "$engine" image inspect "$image" >/dev/null 2>&1; then
        "$engine" build -f "$top/Containerfile" -t "$image" "$top" >&2
fi

if [ $# -eq 0 ]; then
        set -- -d 10s -v
fi

# Rootless podman maps its root to us, and would map us to somebody else.
case $engine in
podman) set -- --userns=keep-id "$image" "$@" ;;
*) set -- "$image" "$@" ;;
esac
exec "$engine" run --rm --init --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
        --user "$(id -u):$(id -g)" --volume "$output:/data" "$@"
