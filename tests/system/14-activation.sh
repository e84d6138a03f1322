# SPDX-License-Identifier: Apache-2.0
#
# The socket alone is enough: the first reader starts the daemon.

. ./lib.sh
service_reset
machine systemctl start i4d.socket
assert_equal "$(service_get ActiveState)" inactive "state"

step "a reader comes, and the daemon starts"
as_user alice i4 tail -n 10 --format csv | assert_gapless "readings"
assert_equal "$(service_get ActiveState)" active "state"

hold_is_on() {
        machine sh -c 'journalctl --quiet --unit=case-hold --output=cat --since="$1" | grep -q "^held"' sh "$journal_since"
}

# Readers look once a second.
stays_stopped() {
        WAIT_S=4
        ! (wait_for "somebody starts it" machine systemctl is-active --quiet i4d.service) 2>/dev/null ||
                fail "it was started again by $1"
        WAIT_S=30
}

step "an attached reader does not start a daemon that was stopped on purpose"
reader_start alice alice --wait --format csv
reader_wait_for_more alice 100
machine systemctl stop i4d.service
stays_stopped "the reader"
reader_is_attached alice || fail "the reader is gone"

step "nor one that came and was stopped while the reader did not look"
service_start
reader_wait_for_more alice 100
pid=$(service_get MainPID)
machine systemctl kill --signal=STOP case-alice
service_kill KILL
service_wait_for_successor "$pid"
machine systemctl stop i4d.service
machine systemctl kill --signal=CONT case-alice
stays_stopped "the reader"
service_start
reader_wait_for_more alice 100

step "nor one that came and was killed, and then the service stopped"
drop_in restart <<'END'
[Service]
RestartSec=1h
END
machine systemctl kill --signal=STOP case-alice
machine systemctl restart i4d.service
service_kill KILL
wait_for_value "state" auto-restart service_get SubState
machine systemctl stop i4d.service
machine systemctl kill --signal=CONT case-alice
stays_stopped "the reader"
machine rm /etc/systemd/system/i4d.service.d/restart.conf
machine systemctl daemon-reload
service_start
reader_wait_for_more alice 100

step "nor one who waits for a daemon, looks on or has an order"
machine systemctl stop i4d.service
reader_start bob bob --wait --format csv
! machine i4 stat 2>"$I4_WORK/err" || fail "there is something to look at"
assert_match "$(cat "$I4_WORK/err")" "nobody answers" "message"
! machine i4 rotate 2>"$I4_WORK/err" || fail "somebody took the order"
assert_match "$(cat "$I4_WORK/err")" "no i4d takes orders" "message"
stays_stopped "one of them"

step "nor does the socket alone, when it comes back, for those who wait"
machine systemctl stop i4d.socket
machine systemctl start i4d.socket i4d-control.socket
stays_stopped "a reader that waits"
service_start
reader_wait_for_more alice 100
reader_wait_for_more bob 100
reader_stop bob

step "nor what a daemon that hangs has left in its queues"
drop_in hang <<'END'
[Service]
TimeoutStopSec=2s
END
machine systemd-run --quiet --collect --unit=case-hold hold-thread "$(service_get MainPID)" i4d
wait_for "it hangs" hold_is_on
for words in "tail -n 1" stat rotate; do
        ! machine sh -c "timeout --signal=KILL 1 i4 $words" || fail "a daemon that hangs has answered"
done
machine systemctl stop i4d.service
assert_equal "$(service_get Result)" timeout "result of the stop"
stays_stopped "what was in the queue"

step "without service and socket a reader is told what to do"
machine systemctl stop i4d.socket i4d.service
! as_user bob i4 tail -n 1 >"$I4_WORK/out" 2>"$I4_WORK/err" || fail "bob read something"
assert_match "$(cat "$I4_WORK/err")" "systemctl start i4d" "message"
reader_stop alice
