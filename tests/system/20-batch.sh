# SPDX-License-Identifier: Apache-2.0
#
# Readings as files: whole, once, and never more than may lie there.

. ./lib.sh

unit=i4-batch@enriched.service
directory=/var/lib/i4-batch/enriched

# batch_get FILTER: of each batch, in order
batch_get() {
        # shellcheck disable=SC2016
        machine sh -c 'cat "$1"/batch_*.json' sh "$directory" | jq --raw-output "$1"
}

batch_count() {
        machine find "$directory" -name 'batch_*.json' | wc --lines
}

unit_get() {
        machine systemctl show --value --property="$1" "$unit"
}

batch_settings() {
        machine sh -c 'cp -n /etc/i4/batch-enriched.env /tmp/batch-enriched.env; cat >>/etc/i4/batch-enriched.env'
}

# batch_message TEXT: has the service said so?
batch_message() {
        machine journalctl --quiet --no-pager --unit="$unit" --since="$journal_since" --output=cat | grep -q "$1"
}

status_says() {
        [[ $(unit_get StatusText) == *"$1"* ]]
}

# From the first on each batch begins where the one before ended, and says how many records it has.
assert_batches_complete() {
        batch_get '.batch_meta as $m | [$m.first_sequence, $m.last_sequence, $m.record_count, $m.lost_records,
                (.records | length)] | map(tostring) | join(" ")' |
                awk -v next_="$1" '
                        $1 != next_ || $3 != $5 || $3 + $4 != $2 + 1 - $1 { print "after " next_ ": " $0; bad = 1; exit }
                        { next_ = $2 + 1; n++ }
                        END { exit bad || !n }
                ' || fail "the batches are not complete"
}

service_reset
service_start
begin=$(stat_get .ring.oldest_sequence)

step "started in one command, it delivers batches of a thousand"
machine systemctl enable --now --quiet "$unit"
wait_for_at_least "batches" 20 batch_count
assert_batches_complete "$begin"
assert_equal "$(batch_get .batch_meta.record_count | sort --unique | head -n 1)" 1000 "records in a batch"
assert_equal "$(batch_get .batch_meta.edge_node | sort --unique)" "$(machine hostname)" "node"

step "it reads as a member of the group, in a sandbox, without a network"
process=$(machine cat "/proc/$(unit_get MainPID)/status")
assert_match "$process" $'\nCapEff:\t0000000000000000\n' "capabilities"
assert_match "$process" $'\nSeccomp:\t2\n' "system call filter"
assert_equal "$(machine ps -o user= -p "$(unit_get MainPID)")" i4-batch "user"
assert_equal "$(stat_get '.readers.list[0].name')" "i4 batch" "reader"
assert_equal "$(machine stat -c '%a %U %G' "$directory")" "750 i4-batch i4" "directory"
as_user alice sh -c "cat $directory/batch_*.json" | jq empty
denied mallory <<<"ls $directory"

step "killed over and over, it delivers each record once"
for _ in 1 2 3 4 5; do
        n=$(batch_count)
        # Between two of its lives there is none.
        wait_for "a process to kill" machine systemctl kill --kill-who=main --signal=KILL "$unit"
        wait_for_at_least "more batches" $((n + 5)) batch_count
done
assert_batches_complete "$begin"

step "the daemon may be restarted under it"
machine systemctl restart i4d.service
wait_for_at_least "more batches" $(($(batch_count) + 5)) batch_count
assert_batches_complete "$begin"

step "a directory that is full is said to be so, and stays within its limit"
machine systemctl stop "$unit"
assert_equal "$(unit_get Result)" success "result"
machine sh -c "rm $directory/batch_*"
batch_settings <<'END'
MAX_USE=3M
END
machine systemctl start "$unit"
wait_for "it says so" batch_message "is full (its limit is reached)"
n=$(batch_count)
assert_between "$(machine du --bytes --summarize "$directory" | cut -f 1)" 2000000 3300000 "bytes"
wait_for "its status says so" status_says "waiting for room: its limit is reached"

step "and goes on when there is room, with what it was given in between"
first=$(batch_get .batch_meta.first_sequence | head -n 1)
saved=$(batch_get .batch_meta.last_sequence | tail -n 1)
machine sh -c "rm $directory/batch_*"
wait_for "there is room" batch_message "has room again"
wait_for_at_least "batches" "$n" batch_count
assert_batches_complete $((saved + 1))
[[ $first -lt $saved ]] || fail "nothing lay there"

step "wrong settings are told, and not tried again"
machine systemctl stop "$unit"
batch_settings <<'END'
BATCH_SIZE=many
END
! machine systemctl start "$unit" 2>/dev/null || fail "it started"
wait_for "it says why" batch_message "BATCH_SIZE 'many' is not a number of records"
wait_for_value "state" failed unit_get ActiveState
machine cp /tmp/batch-enriched.env /etc/i4/batch-enriched.env
machine systemctl disable --quiet "$unit"
