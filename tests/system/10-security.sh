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

step "a reader has the ring read-only, and no descriptor that could be opened anew"
reader_start alice alice --format csv
wait_for_value "readers" 1 stat_get .readers.attached
pid=$(machine systemctl show --value --property=MainPID case-alice)
assert_equal "$(machine sed -n 's/^[^ ]* \([^ ]*\) .*memfd:.*/\1/p' "/proc/$pid/maps" | sort --unique)" "r--s" "mapping"
assert_no_match "$(machine ls -l "/proc/$pid/fd")" "memfd" "descriptors"
