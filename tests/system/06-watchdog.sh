# SPDX-License-Identifier: Apache-2.0
#
# A daemon that lives and does nothing is ended and comes back.

. ./lib.sh
service_reset
drop_in watchdog <<'END'
[Service]
WatchdogSec=4s
LimitCORE=0
END
service_start
reader_start alice alice --from oldest --format csv
reader_wait_for_more alice 100

comes_back() {
        wait_for "the watchdog strikes" watchdog_has_struck
        service_wait_for_successor "$pid"
        reader_wait_for_more alice 10000
        reader_is_attached alice || fail "the reader is gone"
}

watchdog_has_struck() {
        [[ $(journal --output=cat --grep="Watchdog timeout" | wc --lines) -gt $n_struck ]]
}

step "all of it hangs"
pid=$(service_get MainPID)
n_struck=0
service_kill STOP
comes_back

# hangs THREAD NAME: while all else goes on
hangs() {
        pid=$(service_get MainPID)
        n_struck=$((n_struck + 1))
        machine systemctl reset-failed case-hold.service 2>/dev/null || true
        machine systemd-run --quiet --collect --unit=case-hold hold-thread "$pid" "$1"
        comes_back
        if [[ $1 != i4d ]]; then
                journal_wait "A part of i4d hangs"
                assert_equal "$(journal_get "A part of i4d hangs" DAEMON_THREAD)" "$2" "what hangs"
        fi
        wait_for "hold-thread ends" hold_is_over
}

hold_is_over() {
        ! machine systemctl is-active --quiet case-hold.service
}

step "only the generator hangs, while the event loop turns"
hangs generator generator

step "only the storage thread hangs, and not in the disk"
hangs recorder storage

step "only the event loop hangs"
hangs i4d

step "none who makes progress is struck"
assert_equal "$(service_get NRestarts)" 4 "restarts"
assert_equal "$(journal_count "A new ring")" 1 "number of rings"

reader_stop alice
reader_output alice | assert_gapless "what alice saw"
