# SPDX-License-Identifier: Apache-2.0
#
# The units are sound, and the sandbox is as tight as systemd can tell.

. ./lib.sh
service_reset
service_start

step "the units verify"
machine systemd-analyze verify --man=no i4d.service i4d.socket >"$I4_WORK/verify" 2>&1 ||
        fail "$(cat "$I4_WORK/verify")"
assert_equal "$(cat "$I4_WORK/verify")" "" "what systemd-analyze has to say"

step "the exposure is 0.5 at most"
machine systemd-analyze security --no-pager --threshold=5 i4d.service >"$I4_WORK/security" ||
        fail "$(tail -n 3 "$I4_WORK/security")"
tail -n 1 "$I4_WORK/security"

step "with all that, io_uring works"
assert_equal "$(stat_get .storage.engine)" io_uring "engine"

step "the ring that a reader gets cannot be written, resized, or reopened for writing"
reader_start alice alice --format csv
wait_for_value "readers" 1 stat_get .readers.attached
pid=$(machine systemctl show --value --property=MainPID case-alice)
fd=$(machine sh -c 'ls -l /proc/$1/fd | sed -n "s/.* \([0-9]*\) -> .memfd:.*/\1/p"' sh "$pid")
assert_match "$fd" '^[0-9]+$' "descriptor of the ring"
! as_user alice sh -c ': >>"/proc/$1/fd/$2"' sh "$pid" "$fd" 2>/dev/null || fail "alice can open the ring for writing"
assert_equal "$(as_user alice stat -L -c %a "/proc/$pid/fd/$fd")" 600 "mode of the ring"
