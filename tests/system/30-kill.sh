# SPDX-License-Identifier: Apache-2.0
#
# Killed at random instants at a million readings a second, while files are sealed four times a second: what is
# stored is the ring's sequence, none missing, none twice, none torn, and a reader misses nothing. The ring holds four
# seconds, so that a reader has its share of a machine with two cores.
#
# The live file is compared with what seed and anchors make of the same time, byte for byte: had any of the kills moved
# the schedule by a step, it would be another.
#
# $I4_KILLS says how often; tools/torture sets it.

. ./lib.sh
service_reset
configure <<'END'
[Generator]
Rate=1000000
[Ring]
Records=4194304
[Storage]
Overflow=block
Sequence=yes
MaxFileSize=64M
MaxUse=infinity
KeepFree=0
END

kills=${I4_KILLS:-15}
checked=$I4_WORK/checked
cc -O2 -o "$I4_WORK/check-lines" check-lines.c
echo 0 >"$checked"

# Goes on from the number that the lines before ended with.
lines_check() {
        local next

        next=$("$I4_WORK/check-lines" "$(cat "$checked")") || fail "what is stored is not the sequence"
        echo "$next" >"$checked"
}

# What is sealed will not change any more: looked at and removed, so that a long run needs little room.
sealed_check() {
        local file

        while read -r file; do
                machine cat "$file" | lines_check
                machine rm "$file"
        done < <(machine sh -c 'ls /var/lib/i4/sealed/* 2>/dev/null | sort')
}

service_start
# It reads everything, prints little, and says what it lost.
reader_start alice alice --from 0 --wait --sensor SNS-pre-0000 --format csv

for ((i = 1; i <= kills; ++i)); do
        pid=$(service_get MainPID)
        # The instant is to be any: this is no wait for something.
        sleep "0.$(printf '%03d' $((RANDOM % 400)))"
        service_kill KILL
        service_wait_for_successor "$pid"
        # Seldom: the daemon goes on meanwhile, and what it makes then has to be looked at as well.
        ((i % 20)) || sealed_check
done

step "after kill $kills: all that was made is stored"
next=$(stat_get .ring.next_sequence)
machine systemctl stop i4d.service
sealed_check
machine cat /var/lib/i4/readings.jsonl | lines_check
[[ $(cat "$checked") -ge $next ]] || fail "stored up to $(cat "$checked"), not to $next"
assert_equal "$(journal_get "i4d stops" STORAGE_LEFT_RECORDS)" 0 "readings not stored"
assert_equal "$(journal_count "A torn line was ended")" 0 "number of torn lines"
step "$(cat "$checked") readings in a row"

step "the same bytes come from seed and anchors"
from=$(machine head -n 1 /var/lib/i4/readings.jsonl | jq -r .timestamp)
machine sensor-gen -replay /var/lib/i4 -from "$from" -o - 2>"$I4_WORK/replay.err" | sha256sum >"$I4_WORK/replay.sum"
machine cat /var/lib/i4/readings.jsonl | sha256sum >"$I4_WORK/stored.sum"
cmp "$I4_WORK/replay.sum" "$I4_WORK/stored.sum" || fail "other bytes: $(cat "$I4_WORK/replay.err")"

step "and the reader missed nothing"
reader_stop alice
assert_no_match "$(machine cat /tmp/case/alice.err)" "lost" "what it said on stderr"
assert_equal "$(machine systemctl show --value --property=ExecMainStatus case-alice)" 0 "its exit status"
