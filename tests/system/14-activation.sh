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

step "an attached reader does not start a daemon that was stopped on purpose"
reader_start alice alice --wait --format csv
reader_wait_for_more alice 100
machine systemctl stop i4d.service
WAIT_S=4
! (wait_for "somebody starts it" machine systemctl is-active --quiet i4d.service) 2>/dev/null ||
        fail "the reader started it again"
WAIT_S=30
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
WAIT_S=4
! (wait_for "somebody starts it" machine systemctl is-active --quiet i4d.service) 2>/dev/null ||
        fail "the reader started it again"
WAIT_S=30
service_start
reader_wait_for_more alice 100

step "without service and socket a reader is told what to do"
machine systemctl stop i4d.socket i4d.service
! as_user bob i4 tail -n 1 >"$I4_WORK/out" 2>"$I4_WORK/err" || fail "bob read something"
assert_match "$(cat "$I4_WORK/err")" "systemctl start i4d" "message"
reader_stop alice
