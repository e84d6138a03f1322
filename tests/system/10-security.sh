# SPDX-License-Identifier: Apache-2.0
#
# The units are sound, and the sandbox is as tight as systemd can tell.

. ./lib.sh
service_reset
service_start

step "the units verify"
machine systemd-analyze verify --man=no i4d.service i4d.socket i4d-control.socket >"$I4_WORK/verify" 2>&1 ||
        fail "$(cat "$I4_WORK/verify")"
assert_equal "$(cat "$I4_WORK/verify")" "" "what systemd-analyze has to say"

step "the exposure is 0.5 at most"
machine systemd-analyze security --no-pager --threshold=5 i4d.service >"$I4_WORK/security" ||
        fail "$(tail -n 3 "$I4_WORK/security")"
tail -n 1 "$I4_WORK/security"

step "orders are for root: members of the group are refused, and nothing changes"
for user in alice bob; do
        ! as_user "$user" i4 inject stuck --sensor SNS-pre-0042 --for 10s >"$I4_WORK/out" 2>"$I4_WORK/err" ||
                fail "$user gave an order"
        assert_match "$(cat "$I4_WORK/err")" "only root gives orders" "message to $user"
done
! machine test -e /var/lib/i4/injected.jsonl || fail "an order was recorded"
machine i4 inject stuck --sensor SNS-pre-0042 --for 10s >/dev/null
assert_match "$(machine cat /var/lib/i4/injected.jsonl)" '"kind":"stuck","sensor":"SNS-pre-0042"' "record"
assert_equal "$(journal_count "An incident was ordered")" 1 "number of orders in the journal"

step "with all that, io_uring works"
assert_equal "$(stat_get .storage.engine)" io_uring "engine"

step "a reader has the ring read-only, and no descriptor that could be opened anew"
reader_start alice alice --format csv
wait_for_value "readers" 1 stat_get .readers.attached
pid=$(machine systemctl show --value --property=MainPID case-alice)
assert_equal "$(machine sed -n 's/^[^ ]* \([^ ]*\) .*memfd:.*/\1/p' "/proc/$pid/maps" | sort --unique)" "r--s" "mapping"
assert_no_match "$(machine ls -l "/proc/$pid/fd")" "memfd" "descriptors"
