# SPDX-License-Identifier: Apache-2.0
#
# Files are sealed over and over while tail -F follows: it sees every line once, in order.
#
# $I4_ROTATIONS says how often; tools/torture sets it.

. ./lib.sh
service_reset
configure <<'END'
[Storage]
Sequence=yes
MaxUse=infinity
KeepFree=0
FlushSec=10ms
END

rotations=${I4_ROTATIONS:-50}
cc -O2 -o "$I4_WORK/check-lines" check-lines.c

# The last but one line: the last may not be whole yet.
followed_sequence() {
        machine tail -n 2 /tmp/case/tail.out | head -n 1 | jq .seq
}

# What is sealed is of no more use here, and room is short on a long run.
sealed_remove() {
        machine sh -c 'rm -f /var/lib/i4/sealed/*'
}

service_start
wait_for "the first lines" machine test -s /var/lib/i4/readings.jsonl
machine systemd-run --quiet --unit=case-tail --uid=alice --property=StandardOutput=truncate:/tmp/case/tail.out \
        --property=StandardError=truncate:/tmp/case/tail.err \
        tail --follow=name --retry --lines=+1 --sleep-interval=0.05 --max-unchanged-stats=1 \
        /var/lib/i4/readings.jsonl

for ((i = 1; i <= rotations; ++i)); do
        machine i4 rotate
        # A file that comes and goes between two looks of tail's is one that it never sees.
        next=$(stat_get .ring.next_sequence)
        wait_for_at_least "sequence after rotation $i" "$next" followed_sequence
        ((i % 50)) || sealed_remove
done

step "after rotation $rotations: all lines, once and in order"
machine systemctl stop case-tail
machine sh -c 'head -n -1 /tmp/case/tail.out' | "$I4_WORK/check-lines" 0 >"$I4_WORK/followed" ||
        fail "tail -F has missed lines"
step "$(cat "$I4_WORK/followed") readings in a row"
