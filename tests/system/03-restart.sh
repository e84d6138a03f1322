# SPDX-License-Identifier: Apache-2.0
#
# A restart, planned or not, is a pause: readers stay attached, no reading is missing, doubled or torn, in the ring
# or on disk.

. ./lib.sh
service_reset
# The ring is to hold all of this case.
configure <<'END'
[Generator]
Rate=2000
END
service_start
reader_start alice alice --from 0 --format csv
reader_wait_for_more alice 100

# restart_by WHAT COMMAND…
restart_by() {
        local what=$1 pid next

        shift
        step "$what"
        pid=$(service_get MainPID)
        next=$(stat_get .ring.next_sequence)
        "$@"
        service_wait_for_successor "$pid"
        [[ $(stat_get .ring.next_sequence) -ge $next ]] || fail "the sequence begins anew"
        reader_wait_for_more alice 2000
        reader_is_attached alice || fail "the reader is gone"
        wait_for_value "readers" 1 stat_get .readers.attached
}

restart_by "systemctl restart" machine systemctl restart i4d.service
restart_by "again" machine systemctl restart i4d.service
restart_by "kill -9" service_kill KILL
restart_by "kill -9 again" service_kill KILL
restart_by "kill -SEGV" service_kill SEGV

step "the service manager itself is executed anew"
machine systemctl daemon-reexec
restart_by "kill -9 after that" service_kill KILL
restart_by "systemctl restart after that" machine systemctl restart i4d.service

step "it was one ring all the time, and readings come by its schedule: none was skipped"
assert_equal "$(journal_count "A new ring")" 1 "number of rings"
assert_equal "$(journal_count "The ring was taken over")" 7 "number of times it was taken over"
assert_equal "$(journal_count "Readings were skipped")" 0 "number of times readings were skipped"

step "the reader saw everything"
reader_stop alice
reader_output alice >"$I4_WORK/alice.csv"
assert_gapless "what alice saw" <"$I4_WORK/alice.csv"
assert_equal "$(csv_sequences <"$I4_WORK/alice.csv" | head --lines=1)" 0 "its first reading"
assert_equal "$(machine cat /tmp/case/alice.err)" "" "what it said on stderr"

step "and so did the disk"
assert_stored_equals_ring
assert_equal "$(journal_count "A torn line was ended")" 0 "number of torn lines"

step "a stop on purpose: the reader waits, and goes on by itself at the next start"
reader_start bob bob --from newest --wait --format csv
reader_wait_for_more bob 100
machine systemctl stop i4d.service
assert_equal "$(service_get ActiveState)" inactive "state"
reader_is_attached bob || fail "the reader is gone"
service_start
reader_wait_for_more bob 1000
reader_stop bob
# Before systemd 254 a stop drops the ring that the service manager keeps; the numbers go on all the same.
reader_output bob | assert_gapless "what bob saw"
