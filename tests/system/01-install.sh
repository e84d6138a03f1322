# SPDX-License-Identifier: Apache-2.0
#
# After `meson install` two commands make a node of it.

. ./lib.sh
service_reset

step "enabled and started in one command, which returns when readers can attach"
machine systemctl enable --now --quiet i4d.socket i4d.service
as_user alice i4 tail -n 1 >/dev/null
assert_equal "$(service_get ActiveState)/$(service_get SubState)" active/running "state"
assert_equal "$(machine systemctl is-enabled i4d.service i4d.socket | xargs)" "enabled enabled" "is-enabled"
assert_equal "$(journal_count "Sensors are being read")" 1 "number of starts"
assert_equal "$(journal_count "A new ring")" 1 "number of new rings"

step "the status is a line for people"
wait_for "the status line" status_matches '^10,000 readings/s, no readers, [0-9.]+[KM] kept$'

step "it is a user without rights, in a sandbox"
process=$(machine cat "/proc/$(service_get MainPID)/status")
assert_match "$process" $'\nCapEff:\t0000000000000000\n' "capabilities"
assert_match "$process" $'\nNoNewPrivs:\t1\n' "privileges"
assert_match "$process" $'\nSeccomp:\t2\n' "system call filter"
assert_equal "$(machine ps -o user= -p "$(service_get MainPID)")" i4 "user"

step "group i4 connects and reads, and nobody else"
wait_for "the first lines are stored" machine test -s /var/lib/i4/readings.jsonl
assert_equal "$(machine stat -c '%a %U %G' /run/i4/ring.sock)" "660 i4 i4" "socket"
assert_equal "$(machine stat -c '%a %U %G' /var/lib/i4)" "750 i4 i4" "directory"
assert_equal "$(machine stat -c '%a %U %G' /var/lib/i4/sealed)" "750 i4 i4" "directory of sealed files"
assert_equal "$(machine stat -c '%a %U %G' /var/lib/i4/readings.jsonl)" "640 i4 i4" "live file"
as_user alice head -n 1 /var/lib/i4/readings.jsonl | assert_lines_whole 1
denied mallory <<<"head -n 1 /var/lib/i4/readings.jsonl"
denied alice <<<"echo >>/var/lib/i4/readings.jsonl"

step "10,000 a second: the first and the last of 20,001 readings are two seconds apart, to the microsecond"
machine i4 tail --from oldest -n 20001 --format csv >"$I4_WORK/pace.csv"
seconds=$(awk -F, 'NR == 2 || NR == 20002 { print $3 }' "$I4_WORK/pace.csv" |
        xargs -I{} date --date={} +%s%6N | xargs | awk '{ printf "%d", $2 - $1 }')
assert_equal "$seconds" 2000000 "microseconds"
assert_gapless "readings" <"$I4_WORK/pace.csv"

step "what is stored is what was published"
assert_stored_equals_ring

step "and off it goes"
machine systemctl disable --now --quiet i4d.socket i4d.service
assert_equal "$(service_get ActiveState)" inactive "state"
assert_equal "$(service_get Result)" success "result"
! machine test -e /run/i4/ring.sock || fail "the socket is still there"
