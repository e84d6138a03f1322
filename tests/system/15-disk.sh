# SPDX-License-Identifier: Apache-2.0
#
# A disk that does not answer is said aloud, counted, and waited for: no reason for a restart, which would wait as
# well. Meanwhile all else goes on, orders and settings too, and what they ask to be written down is when it can be, be
# the daemon killed before. Then a file system that gives up and turns read-only, as after a power cut: nothing that
# was synced is lost, no line is twice, and numbers go on above.

. ./lib.sh
service_reset
drop_in watchdog <<'END'
[Service]
WatchdogSec=4s
END
configure <<'END'
[Generator]
Rate=10000
[Storage]
Sequence=yes
MaxUse=infinity
KeepFree=0
END

image=$I4_WORK/disk.img
loop=

# Frozen, it could not even be unmounted.
disk_release() {
        machine fsfreeze --unfreeze /var/lib/i4 || true
        machine systemctl stop i4d.service || true
        machine umount /var/lib/i4 || true
        [[ -z $loop ]] || losetup --detach "$loop"
        rm -f "$image"
} 2>/dev/null
trap disk_release EXIT
trap 'exit 1' TERM

# lists FILE PATH: what it says of each, a line each
lists() {
        machine cat "/var/lib/i4/$1" | jq --raw-output "$2"
}

lists_ordered() {
        lists injected.jsonl .kind | tr '\n' ' '
}

step "a file system of its own, on a disk of its own"
truncate --size=256M "$image"
mkfs.ext4 -q "$image"
loop=$(losetup --find --show "$image")
machine rm -f /dev/case-disk
machine mknod /dev/case-disk b 7 "${loop#/dev/loop}"
machine mkdir -p /var/lib/i4
machine mount -t ext4 /dev/case-disk /var/lib/i4
machine chown i4:i4 /var/lib/i4
service_start
reader_start alice alice --from 0 --wait --sensor SNS-pre-0000 --format csv
wait_for_at_least "readings stored" 10000 stat_get .storage.next_sequence

step "no answer"
pid=$(service_get MainPID)
machine fsfreeze --freeze /var/lib/i4
wait_for_value "state of storage" hangs stat_get .storage.state
journal_wait "The disk does not answer"
wait_for "the status says so" status_matches "the disk does not answer"
n=$(stat_get .ring.next_sequence)
# Longer than the watchdog waits.
wait_for_at_least "readings made meanwhile" $((n + 60000)) stat_get .ring.next_sequence
assert_equal "$(service_get MainPID)" "$pid" "process"

step "orders are taken, settings too, and readers go on"
assert_match "$(machine timeout 5 i4 inject stuck --sensor SNS-pre-0000 --for 10s)" "stuck of SNS-pre-0000" "answer"
machine timeout 5 i4 rotate
machine sed -i s/Rate=10000/Rate=8000/ /etc/i4/i4d.conf.d/case.conf
machine timeout 5 systemctl reload i4d.service
wait_for_value "rate" 8000 stat_get .generator.set_records_per_second
reader_wait_for_more alice 5
! machine test -e /var/lib/i4/injected.jsonl || fail "it was written, so the disk answers"
assert_equal "$(service_get MainPID)" "$pid" "process"

step "answers again"
machine fsfreeze --unfreeze /var/lib/i4
journal_wait "Readings are stored again"
wait_for_value "state of storage" writing stat_get .storage.state
n=$(stat_get .ring.next_sequence)
wait_for_at_least "readings stored" "$n" stat_get .storage.next_sequence
assert_equal "$(stat_get .storage.errors)" 1 "errors counted"
wait_for_at_least "files sealed" 1 stat_get .storage.sealed_files
assert_equal "$(lists injected.jsonl .kind)" stuck "what was ordered"
assert_equal "$(lists anchors.jsonl .reason | tr '\n' ' ')" "start rate change " "anchors"

step "nothing was restarted, and nothing is missing"
assert_equal "$(service_get NRestarts)" 0 "restarts"
assert_equal "$(journal_count "Readings were not stored")" 0 "readings dropped"
machine systemctl stop i4d.service
cc -O2 -o "$I4_WORK/check-lines" check-lines.c
stored_lines | "$I4_WORK/check-lines" 0 >"$I4_WORK/checked" || fail "what is stored is not the sequence"
assert_equal "$(cat "$I4_WORK/checked")" "$(journal_get "i4d stops" SENSOR_ACHIEVED_RECORDS)" "readings in a row"
machine sensor-gen -replay /var/lib/i4 -o - 2>"$I4_WORK/replay.err" | sha256sum >"$I4_WORK/replay.sum"
stored_lines | sha256sum >"$I4_WORK/stored.sum"
cmp "$I4_WORK/replay.sum" "$I4_WORK/stored.sum" || fail "other bytes are made again: $(cat "$I4_WORK/replay.err")"
reader_stop alice
assert_no_match "$(machine cat /tmp/case/alice.err)" "lost" "what the reader said"

step "killed while it does not answer: what was ordered is written by the next one, once"
service_start
wait_for_value "state of storage" writing stat_get .storage.state
pid=$(service_get MainPID)
machine fsfreeze --freeze /var/lib/i4
assert_match "$(machine timeout 5 i4 inject drift --sensor SNS-pre-0001 --for 10s)" "drift of SNS-pre-0001" "answer"
service_kill KILL
machine fsfreeze --unfreeze /var/lib/i4
service_wait_for_successor "$pid"
wait_for_value "what was ordered" "stuck drift " lists_ordered
machine systemctl stop i4d.service

step "no answer at the start: readers get readings all the same, and all of them are stored later"
machine fsfreeze --freeze /var/lib/i4
timeout 20 nsenter --target "$I4_LEADER" --all systemctl start i4d.socket i4d.service || fail "the start waits for the disk"
n=$(stat_get .ring.next_sequence)
wait_for_at_least "readings made meanwhile" $((n + 20000)) stat_get .ring.next_sequence
machine fsfreeze --unfreeze /var/lib/i4
n=$(stat_get .ring.next_sequence)
wait_for_at_least "readings stored" "$n" stat_get .storage.next_sequence
assert_equal "$(service_get NRestarts)" 0 "restarts"
machine systemctl stop i4d.service
assert_equal "$(journal_count "Readings were not stored")" 0 "readings dropped"
stored_lines | "$I4_WORK/check-lines" 0 >"$I4_WORK/checked" || fail "what is stored is not the sequence"

step "read-only"
service_start
wait_for_value "state of storage" writing stat_get .storage.state
n=$(stat_get .storage.next_sequence)
# What stands in the file then is synced, SyncSec= later.
wait_for_at_least "readings stored" $((n + 70000)) stat_get .storage.next_sequence
machine mount -o remount,abort /var/lib/i4 2>/dev/null || true
wait_for_value "state of storage" failed stat_get .storage.state
assert_match "$(stat_get .storage.error)" "Read-only file system|Input/output error" "reason"
journal_wait "Readings cannot be stored"
wait_for "the status says so" status_matches "storage fails: "
[[ $(stat_get .storage.errors) -gt 0 ]] || fail "no error is counted"
machine systemctl stop i4d.service i4d.socket
machine umount /var/lib/i4
e2fsck -p "$loop" >/dev/null || [[ $? -eq 1 ]]

step "repaired: what was synced is there, and what is new is numbered above"
machine mount -t ext4 /dev/case-disk /var/lib/i4
stored_lines >"$I4_WORK/stored"
last=$(json_sequences <"$I4_WORK/stored" | tail -n 1)
[[ $last -ge $n ]] || fail "what is stored ends with $last, and $n was synced"
service_start
# By the ring, which begins far above.
n=$(stat_get .ring.next_sequence)
[[ $n -gt $last ]] || fail "numbers go on with $n, and $last is stored"
wait_for_at_least "readings stored" $((n + 10000)) stat_get .storage.next_sequence
machine systemctl stop i4d.service
stored_lines >"$I4_WORK/stored"
json_sequences <"$I4_WORK/stored" >"$I4_WORK/sequences"
sort --numeric-sort --unique --check "$I4_WORK/sequences" || fail "a reading is stored twice, or out of order"
[[ $(wc --lines <"$I4_WORK/sequences") -ge $(($(wc --lines <"$I4_WORK/stored") - 1)) ]] || fail "more than one line is broken"
