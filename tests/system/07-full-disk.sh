# SPDX-License-Identifier: Apache-2.0
#
# A full disk: what cannot be stored is dropped and counted, said aloud, no line is torn, live readers notice
# nothing, and it goes on by itself when there is room.

. ./lib.sh

# Lines, dropped and published must add up.
assert_all_accounted_for() {
        local dropped next

        next=$(journal_get "i4d stops" SENSOR_ACHIEVED_RECORDS)
        dropped=$(journal --output=json MESSAGE_ID="$(condition_id "Readings were not stored")" |
                jq --slurp '[.[].STORAGE_DROPPED_RECORDS | tonumber] | add // 0')
        [[ $dropped -gt 0 ]] || fail "nothing was dropped"
        stored_lines >"$I4_WORK/stored"
        assert_equal "$(($(wc --lines <"$I4_WORK/stored") + dropped))" "$next" "stored and dropped together"
        assert_lines_whole "$(wc --lines <"$I4_WORK/stored")" <"$I4_WORK/stored"
}

relieve() {
        disk_resize 64M
        wait_for_value "state of storage" writing stat_get .storage.state
        reader_wait_for_more alice 10000
        journal_wait "Readings are stored again"
        journal_wait "Readings were not stored"
}

finish() {
        reader_stop alice
        reader_output alice | assert_gapless "what alice saw"
        machine systemctl stop i4d.service
        assert_all_accounted_for
}

step "a file system without room"
service_reset
# A small ring, so that it is soon overtaken.
configure <<'END'
[Ring]
Records=8192
[Storage]
MaxUse=infinity
KeepFree=0
END
disk_mount 4M
service_start
reader_start alice alice --from oldest --format csv
wait_for_value "state of storage" full stat_get .storage.state
assert_match "$(stat_get .storage.error)" "No space left" "reason"
wait_for_at_least "dropped" 1000 stat_get .storage.dropped_records
wait_for "the status says so" status_matches "storage is full: No space left on device"
journal_wait "No room for readings"
assert_equal "$(service_get ActiveState)" active "state"

step "room, and it goes on"
relieve

step "nobody noticed but storage"
finish

step "limits without room are said as such"
service_reset
configure <<'END'
[Ring]
Records=8192
[Storage]
MaxUse=infinity
KeepFree=40M
END
disk_mount 32M
service_start
reader_start alice alice --from oldest --format csv
wait_for_value "state of storage" full stat_get .storage.state
wait_for_at_least "dropped" 1000 stat_get .storage.dropped_records
journal_wait "The limits leave no room for readings"
wait_for "the status says so" status_matches "storage is full: see MaxUse= and KeepFree="
relieve
finish

step "Overflow=block: the generator waits, and nothing is dropped"
service_reset
configure <<'END'
[Generator]
CatchUpSec=infinity
[Ring]
Records=8192
[Storage]
Overflow=block
MaxUse=infinity
KeepFree=0
END
disk_mount 4M
service_start
wait_for_value "state of storage" full stat_get .storage.state
wait_for_at_least "readings late" 10000 stat_get .generator.behind_records
disk_resize 64M
wait_for_value "state of storage" writing stat_get .storage.state
wait_for_value "readings late" 0 stat_get .generator.behind_records
machine systemctl stop i4d.service
assert_equal "$(journal_count "Readings were not stored")" 0 "readings dropped"
stored_lines >"$I4_WORK/stored"
assert_equal "$(wc --lines <"$I4_WORK/stored")" "$(journal_get "i4d stops" SENSOR_ACHIEVED_RECORDS)" "lines"
assert_lines_whole "$(wc --lines <"$I4_WORK/stored")" <"$I4_WORK/stored"
