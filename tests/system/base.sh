# SPDX-License-Identifier: Apache-2.0
#
# A Debian of the host's release, unpacked once into a cache, and throw-away copies of it
#
# The cache is $I4_TEST_CACHE, else $XDG_CACHE_HOME/i4-test, else /var/cache/i4-test.

say() {
        echo "system: $*"
}

die() {
        echo "system: $*" >&2
        exit 1
}

release_get() {
        # shellcheck disable=SC1091
        (. /etc/os-release && [[ ${ID:-} == debian ]] && echo "${VERSION_CODENAME:-}") || true
}

cache_get() {
        echo "${I4_TEST_CACHE:-${XDG_CACHE_HOME:-/var/cache}/i4-test}"
}

# base_prepare PACKAGE…: sets $base. Its name says what is in it, so that a changed list is another one.
base_prepare() {
        local release key cache try packages=("$@")

        release=$(release_get)
        [[ -n $release ]] || die "these tests run on Debian, whose libraries they copy into the machine"
        key=$(printf '%s ' "$release" "${packages[@]}" | sha256sum | cut -c1-12)
        cache=$(cache_get)
        base=$cache/$release-$key
        mkdir -p "$cache"

        exec {cache_lock}>"$cache/lock"
        flock "$cache_lock"
        if [[ ${refresh:-0} -eq 1 ]]; then
                rm -rf --one-file-system "$base"
        fi
        if [[ ! -d $base ]]; then
                say "unpacking $release into $base"
                for try in 1 2 3; do
                        rm -rf --one-file-system "$base.new"
                        if mmdebstrap --quiet --variant=minbase ${1:+--include="${packages[*]}"} \
                                --aptopt='Acquire::Retries "3"' "$release" "$base.new" \
                                "${I4_TEST_MIRROR:-http://deb.debian.org/debian}" </dev/null; then
                                mv "$base.new" "$base"
                                break
                        fi
                        [[ $try -lt 3 ]] || die "mmdebstrap failed: is Debian's archive reachable?"
                        sleep 10
                done
        fi
        flock --unlock "$cache_lock"
        exec {cache_lock}>&-
}

# Sets $work, and makes $work/root: a copy that costs nothing where an overlay can be mounted, and a real one
# where it cannot.
work_prepare() {
        work=$(mktemp --directory "${TMPDIR:-/var/tmp}/i4-system.XXXXXX")
        # The machine's root directory takes its mode from here.
        chmod 0755 "$work"
        mkdir "$work/upper" "$work/overlay" "$work/root"
        if ! mount -t overlay i4-test -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/overlay" \
                "$work/root" 2>/dev/null; then
                cp -a --reflink=auto "$base/." "$work/root"
        fi
}

work_remove() {
        [[ -n ${work:-} ]] || return 0
        if mountpoint --quiet "$work/root"; then
                umount "$work/root" || umount --lazy "$work/root"
        fi
        rm -rf --one-file-system "$work"
}
