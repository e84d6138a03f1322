# SPDX-License-Identifier: Apache-2.0
#
# The directory of readings, removed or moved away while it is written to, or mounted read-only when i4d is started. What the
# service sees of it, and may write to, was made by systemd at its start: i4d ends for that, and goes on where it was.

. ./lib.sh
service_reset
configure <<'END'
[Generator]
Rate=2000
[Storage]
Sequence=yes
END
machine rm -rf /var/lib/i4.old
service_start
reader_start alice alice --from 0 --format csv
wait_for_at_least "readings stored" 4000 stat_get .storage.next_sequence

# gone_by COMMAND…: and it comes back by itself
gone_by() {
        local pid

        pid=$(service_get MainPID)
        n_gone=$((n_gone + 1))
        "$@"
        journal_wait "The directory of readings is gone" "$n_gone"
        service_wait_for_successor "$pid"
        wait_for_value "state of storage" writing stat_get .storage.state
        wait_for_at_least "readings stored" $(($(stat_get .ring.next_sequence) + 4000)) stat_get .storage.next_sequence
        assert_equal "$(machine stat -c '%a %U %G' /var/lib/i4)" "750 i4 i4" "directory"
}

n_gone=0

step "moved: what is in the old one and in the new one is the sequence"
gone_by machine mv /var/lib/i4 /var/lib/i4.old
n=$(stat_get .storage.next_sequence)
machine cat /var/lib/i4.old/readings.jsonl /var/lib/i4/readings.jsonl | json_sequences >"$I4_WORK/sequences"
seq 0 $((n - 1)) | cmp - <(head --lines="$n" "$I4_WORK/sequences") || fail "a reading is missing or twice"

step "removed, with all that was in it: what comes after is stored"
next=$(stat_get .ring.next_sequence)
gone_by machine rm -rf /var/lib/i4
stored_lines | json_sequences >"$I4_WORK/sequences"
first=$(head --lines=1 "$I4_WORK/sequences")
# It looks once in 5 s.
assert_between "$first" "$next" $((next + 40000)) "first reading in the new one"
awk -v next_="$first" '$1 != next_++ { exit 1 }' "$I4_WORK/sequences" || fail "a reading is missing or twice"

step "the ring was kept, and the reader noticed a pause at most"
assert_equal "$(service_get NRestarts)" 2 "restarts"
assert_equal "$(journal_count "A new ring")" 1 "number of rings"
assert_equal "$(journal_count "readings.jsonl was taken away")" 0 "files begun in place of another"
reader_wait_for_more alice 2000
reader_stop alice
reader_output alice | assert_gapless "what alice saw"
assert_equal "$(machine cat /tmp/case/alice.err)" "" "what it said on stderr"
machine rm -rf /var/lib/i4.old

step "a file system that is written to is not mounted read-only"
service_reset
configure <<'END'
[Storage]
MaxUse=infinity
KeepFree=0
END
disk_mount 256M
service_start
wait_for_at_least "readings stored" 1000 stat_get .storage.next_sequence
! machine mount -o remount,ro /var/lib/i4 2>/dev/null || fail "it was"

step "read-only at the start, with no place for sealed files: readers get readings, and it is said why none is stored"
machine systemctl stop i4d.service
n_lines=$(stored_count)
machine rmdir /var/lib/i4/sealed
machine mount -o remount,ro /var/lib/i4
service_start
wait_for_value "state of storage" failed stat_get .storage.state
assert_equal "$(stat_get .storage.error)" "Read-only file system" "reason"
wait_for "the status says so" status_matches "storage fails: Read-only file system"
first=$(stat_get .ring.oldest_sequence)
reader_start bob bob --from "$first" --format csv
reader_wait_for_more bob 10000
assert_equal "$(service_get NRestarts)" 0 "restarts"

step "read-write again: nobody has to do anything, and all that was read meanwhile is stored"
pid=$(service_get MainPID)
machine mount -o remount,rw /var/lib/i4
journal_wait "The readings are writable, but not for i4d"
service_wait_for_successor "$pid"
wait_for_value "state of storage" writing stat_get .storage.state
reader_wait_for_more bob 10000
assert_equal "$(service_get NRestarts)" 1 "restarts"
reader_stop bob
reader_output bob | assert_gapless "what bob saw"
machine systemctl stop i4d.service
assert_equal "$(journal_count "Readings were not stored")" 0 "readings dropped"
stored_lines | tail --lines="+$((n_lines + 1))" >"$I4_WORK/stored"
assert_lines_whole "$(wc --lines <"$I4_WORK/stored")" <"$I4_WORK/stored"
next=$((10#$(machine cat /var/lib/i4/.sequence)))
assert_equal "$(wc --lines <"$I4_WORK/stored")" $((next - first)) "readings stored"
machine test -d /var/lib/i4/sealed || fail "there is no place for sealed files"

step "a mount that is read-only on purpose is no reason to begin again and again"
machine mount -o remount,bind,ro /var/lib/i4
service_start
wait_for_value "state of storage" failed stat_get .storage.state
wait_for_at_least "tries" 5 stat_get .storage.errors
assert_equal "$(journal_count "The readings are writable, but not for i4d")" 1 "number of times it was told"
machine mount -o remount,bind,rw /var/lib/i4
machine systemctl restart i4d.service
wait_for_value "state of storage" writing stat_get .storage.state
