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

followed_bytes() {
        machine stat --format=%s /tmp/case/tail.out
}

# What is sealed is of no more use here, and room is short on a long run.
sealed_remove() {
        machine sh -c 'rm -f /var/lib/i4/sealed/*'
}

service_start
wait_for "the first lines" machine test -s /var/lib/i4/readings.jsonl
machine systemd-run --quiet --unit=case-tail --uid=alice --property=StandardOutput=truncate:/tmp/case/tail.out \
        --property=StandardError=truncate:/tmp/case/tail.err \
        tail --follow=name --retry --lines=+1 /var/lib/i4/readings.jsonl

for ((i = 1; i <= rotations; ++i)); do
        n=$(followed_bytes)
        machine i4 rotate
        # It must have gone over to the new file; how soon is its business.
        wait_for_at_least "bytes after rotation $i" $((n + 1)) followed_bytes
        ((i % 50)) || sealed_remove
done

step "after rotation $rotations: all lines, once and in order"
last=$(stat_get .ring.next_sequence)
enough() {
        [[ $(machine tail -n 2 /tmp/case/tail.out | head -n 1 | jq .seq) -ge $last ]]
}
wait_for "it has seen them" enough
machine systemctl stop case-tail
machine sh -c 'head -n -1 /tmp/case/tail.out' | "$I4_WORK/check-lines" 0 >/dev/null || fail "tail -F has missed lines"
