# SPDX-License-Identifier: Apache-2.0
#
# Any number of readers, all of whom see the same, and only those who may.

. ./lib.sh
service_reset
service_start

step "three readers of the group see the same 30,000 readings without a gap"
for user in alice bob carol; do
        reader_start "$user" "$user" --from 0 -n 30000 --format csv
done
for user in alice bob carol; do
        reader_wait "$user"
        reader_output "$user" >"$I4_WORK/$user.csv"
        assert_gapless "$user" <"$I4_WORK/$user.csv"
        assert_equal "$(csv_sequences <"$I4_WORK/$user.csv" | wc --lines)" 30000 "readings of $user"
        assert_equal "$(csv_sequences <"$I4_WORK/$user.csv" | head --lines=1)" 0 "first of $user"
        cmp "$I4_WORK/alice.csv" "$I4_WORK/$user.csv" || fail "$user sees something else than alice"
done

step "i4 stat lists who reads, as the kernel knows them"
reader_start alice2 alice --format csv
reader_start bob2 bob --format json
wait_for_value "readers" 2 stat_get .readers.attached
wait_for_value "names" "i4 tail,i4 tail" stat_get '[.readers.list[].name] | join(",")'
wait_for_value "lost" 0 stat_get .readers.lost_records
reader_stop alice2
wait_for_value "readers" 1 stat_get .readers.attached
reader_stop bob2
wait_for_value "readers" 0 stat_get .readers.attached

step "a reader that stands still hurts nobody, and is told what it lost"
reader_start slow carol --from newest --format csv
reader_wait_for_more slow 1000
machine systemctl kill --signal=STOP case-slow
from=$(stat_get .ring.next_sequence)
wait_for_at_least "a ring and more is published" $((from + 280000)) stat_get .ring.next_sequence
machine systemctl kill --signal=CONT case-slow
reader_wait_for_more slow 1000
reader_stop slow
lost=$(machine sed -n 's/.*lost \([0-9]*\) records.*/\1/p' /tmp/case/slow.err | awk '{ n += $1 } END { print n + 0 }')
missing=$(reader_output slow | csv_sequences | awk 'NR > 1 { n += $1 - last - 1 } { last = $1 } END { print n + 0 }')
[[ $lost -gt 0 ]] || fail "nothing was lost"
assert_equal "$missing" "$lost" "number of missing readings"
assert_equal "$(machine systemctl show --value --property=ExecMainStatus case-slow)" 3 "exit status"
journal_wait "A reader is too slow"
assert_equal "$(stat_get .storage.dropped_records)" 0 "readings dropped from storage"

step "who is not of the group is refused, and told what to do"
! as_user mallory i4 tail -n 1 >"$I4_WORK/out" 2>"$I4_WORK/err" || fail "mallory was let in"
assert_match "$(cat "$I4_WORK/err")" "group i4.*usermod -aG i4 mallory" "message"
assert_equal "$(wc --lines <"$I4_WORK/err")" 1 "lines of the message"
[[ ! -s $I4_WORK/out ]] || fail "mallory was told something"
denied mallory <<<"i4 stat"

step "a pipe that closes ends a reader quietly"
assert_equal "$(as_user alice sh -c 'i4 tail 2>&1 | head -n 3 | wc -l')" 3 "lines"
wait_for_value "readers" 0 stat_get .readers.attached
