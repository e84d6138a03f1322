# SPDX-License-Identifier: Apache-2.0
#
# A stop drains the ring to disk: the last reading that a reader saw is the last line of the file. A start appends.

. ./lib.sh
service_reset
# What is not drained stays in memory for long.
configure <<'END'
[Storage]
FlushSec=20s
END
service_start
reader_start alice alice --from 0 --wait --format json
reader_wait_for_more alice 20000

step "stop"
machine systemctl stop i4d.service
assert_equal "$(service_get Result)" success "result"
journal_wait "i4d stops"
assert_equal "$(journal_get "i4d stops" STORAGE_LEFT_RECORDS)" 0 "readings left"
n=$(stored_count)
assert_equal "$((10#$(machine cat /var/lib/i4/.sequence)))" "$n" "the number kept with what is stored"
assert_equal "$n" "$(journal_get "i4d stops" SENSOR_ACHIEVED_RECORDS)" "lines stored"
wait_for_at_least "lines of the reader" "$n" reader_count alice
reader_stop alice
stored_lines >"$I4_WORK/stored"
reader_output alice | cmp - "$I4_WORK/stored" || fail "what is stored is not what alice saw"

step "a start appends, and numbers on from what is stored, even where the ring is lost"
machine systemctl stop i4d.socket
service_start
wait_for_at_least "the next number" "$n" stat_get .ring.next_sequence
assert_equal "$(journal_get "A new ring" RING_SEQUENCE)" "$n" "first reading of the new ring"
wait_for_at_least "lines stored" $((n + 1)) stored_count
machine systemctl stop i4d.service
stored_lines >"$I4_WORK/later"
head --lines="$n" "$I4_WORK/later" | cmp - "$I4_WORK/stored" || fail "what was stored before has changed"

step "and ends a torn line first"
machine sh -c 'printf "%s" "{\"sensor_id\":\"SNS-fl" >>/var/lib/i4/readings.jsonl'
n=$(($(stored_count) + 1))
service_start
journal_wait "A torn line was ended"
wait_for_at_least "lines stored" $((n + 1000)) stored_count
machine systemctl stop i4d.service
stored_lines >"$I4_WORK/stored"
assert_lines_whole "$(($(wc --lines <"$I4_WORK/stored") - 1))" <"$I4_WORK/stored"
