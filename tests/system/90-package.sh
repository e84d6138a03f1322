# SPDX-License-Identifier: Apache-2.0
#
# The Debian packages: installed, upgraded under load to another build and back, removed, purged. The last case, since
# nothing of i4 is left after it.

. ./lib.sh

packages=$I4_WORK/root/var/tmp/packages

dpkg_log() {
        machine sh -c 'DEBIAN_FRONTEND=noninteractive dpkg "$@" >/var/tmp/dpkg.log 2>&1' dpkg "$@" || {
                machine cat /var/tmp/dpkg.log
                fail "dpkg $1 failed"
        }
}

# packages_install DIRECTORY
packages_install() {
        dpkg_log --install --force-confnew "$1/i4.deb" "$1/i4-batch.deb" "$1/libi4.deb" "$1/libi4-dev.deb"
}

# Those of another build: a later version, and a daemon that is other bytes.
packages_make_next() {
        local name tree=$I4_WORK/next

        mkdir "$packages/next"
        echo next >"$I4_WORK/build"
        for name in i4 i4-batch libi4 libi4-dev; do
                dpkg-deb --raw-extract "$packages/$name.deb" "$tree"
                sed -i 's/^Version: .*/&+next/; s/(= [^)]*/&+next/g' "$tree/DEBIAN/control"
                if [[ $name == i4 ]]; then
                        objcopy --add-section .build="$I4_WORK/build" "$tree/usr/bin/i4d"
                fi
                dpkg-deb --root-owner-group --build "$tree" "$packages/next/$name.deb" >/dev/null
                rm -r "$tree"
        done
}

version_get() {
        # shellcheck disable=SC2016
        machine dpkg-query --show --showformat='${Version}' i4
}

program_get() {
        machine sh -c 'sha256sum <"/proc/$1/exe"' sh "$(service_get MainPID)"
}

outlet=i4-batch@enriched.service

outlet_get() {
        machine systemctl show --value --property="$1" "$outlet"
}

batch_count() {
        machine find /var/lib/i4-batch/enriched -name 'batch_*.json' | wc --lines
}

outlet_is_another() {
        [[ $(outlet_get MainPID) != 0 && $(outlet_get MainPID) != "$1" ]]
}

service_reset
machine systemctl stop i4d.socket i4d.service
# What was installed by hand and has another name in the packages.
machine sh -c 'rm -r /usr/share/man/man*/*i4* /usr/share/man/man*/sensor-gen* /usr/include/i4.h'

step "build"
mkdir "$packages"
if [[ -z ${I4_PACKAGES:-} ]]; then
        I4_PACKAGES=$I4_WORK/packages
        ../../tools/build-package "$I4_PACKAGES" >"$I4_WORK/packages.log" 2>&1 || {
                tail "$I4_WORK/packages.log"
                fail "the packages cannot be built"
        }
fi
cp "$I4_PACKAGES"/i4_*.deb "$packages/i4.deb"
cp "$I4_PACKAGES"/i4-batch_*.deb "$packages/i4-batch.deb"
cp "$I4_PACKAGES"/libi4-1_*.deb "$packages/libi4.deb"
cp "$I4_PACKAGES"/libi4-dev_*.deb "$packages/libi4-dev.deb"

packages_make_next

step "installed: enabled and running"
packages_install /var/tmp/packages
assert_equal "$(machine systemctl is-enabled i4d.socket i4d.service | sort --unique)" enabled "units"
wait_for_value "state" active service_get ActiveState
wait_for_at_least "published" 10000 stat_get .ring.next_sequence
machine test -f /usr/include/i4.h -a -L /usr/lib/"$(dpkg-architecture --query DEB_HOST_MULTIARCH)"/libi4.so ||
        fail "there is nothing to build with"
machine rm -rf /var/lib/i4-batch/enriched
machine systemctl enable --now --quiet "$outlet"
wait_for_at_least "batches" 5 batch_count

step "upgraded under load: the reader notices nothing but a pause, and batches go on with the new program"
reader_start alice alice --from oldest --format csv
reader_wait_for_more alice 10000
version=$(version_get)
program=$(program_get)
for build in /next '' /next; do
        pid=$(service_get MainPID)
        outlet_pid=$(outlet_get MainPID)
        packages_install "/var/tmp/packages$build"
        service_wait_for_successor "$pid"
        assert_equal "$(version_get)" "$version${build:++next}" "version"
        if [[ -n $build ]]; then
                [[ $(program_get) != "$program" ]] || fail "the old program runs"
        else
                assert_equal "$(program_get)" "$program" "the program that runs"
        fi
        wait_for "another i4 batch" outlet_is_another "$outlet_pid"
        wait_for_at_least "more batches" $(($(batch_count) + 5)) batch_count
        reader_wait_for_more alice 10000
done
reader_stop alice
reader_output alice | assert_gapless "what alice saw"
assert_equal "$(machine cat /tmp/case/alice.err)" "" "what it said on stderr"
assert_equal "$(journal_count "A new ring")" 1 "number of rings"
# Nothing that was due in between was given up: the pause was shorter than CatchUpSec=.
assert_equal "$(journal_count "Readings were skipped")" 0 "number of times readings were skipped"
# shellcheck disable=SC2016
machine sh -c 'cat /var/lib/i4-batch/enriched/batch_*.json' |
        jq --raw-output '.batch_meta | "\(.first_sequence) \(.last_sequence) \(.lost_records)"' |
        awk 'NR > 1 && $1 != next_ || $3 > 0 { print "after " next_ ": " $0; exit 1 } { next_ = $2 + 1 }' ||
        fail "the batches are not complete"

step "removed: stopped, and what was stored stays"
dpkg_log --remove i4-batch i4 libi4-dev libi4-1
assert_equal "$(machine systemctl is-active "$outlet" || true)" inactive "batches"
! machine pgrep --exact i4 >/dev/null || fail "something of it still runs"
assert_equal "$(service_get LoadState)" not-found "unit"
machine test -s /var/lib/i4/readings.jsonl || fail "the readings are gone"
machine test -f /etc/i4/i4d.conf || fail "the settings are gone"

step "purged: nothing is left"
dpkg_log --purge i4-batch i4 libi4-dev libi4-1
left=$(machine find /etc /usr /lib /opt /run /var/lib -xdev \( -name 'i4' -o -name 'i4d*' -o -name 'i4-*' -o -name 'libi4*' \) \
        -not -path '/usr/local/*' -not -name libi4.so | sort --unique)
assert_equal "$left" "" "what is left"
for user in i4 i4-batch; do
        ! machine id "$user" >/dev/null 2>&1 || fail "the user $user is left"
done
true
