# SPDX-License-Identifier: Apache-2.0
#
# What goes on is in the journal: for people, for programs, and explained.

. ./lib.sh
service_reset
configure <<'END'
[Stats]
IntervalSec=1s
END
service_start
reader_start alice alice --format csv
reader_wait_for_more alice 100

step "statistics are one structured entry an interval"
journal_wait "Statistics" 2
for field in SENSOR_ACHIEVED_RECORDS SENSOR_TARGET_RECORDS SENSOR_BEHIND_RECORDS RING_NEXT RING_READERS \
        RING_READERS_LOST_RECORDS STORAGE_RECORDS STORAGE_BYTES STORAGE_DROPPED_RECORDS; do
        assert_match "$(journal_get "Statistics" "$field")" '^[0-9]+$' "$field"
done
[[ $(journal_get "Statistics" SENSOR_ACHIEVED_RECORDS) -gt 0 ]] || fail "no readings were made"

step "each entry has an id that the catalog knows, and texts show their values"
machine systemctl reload i4d.service
journal_wait "New settings are in force"
reader_stop alice
journal_wait "A reader left"
machine systemctl restart i4d.service
journal_wait "The ring was taken over"
journal --output=json _SYSTEMD_UNIT=i4d.service |
        jq --raw-output 'select(._COMM == "i4d" or .SYSLOG_IDENTIFIER == "i4d") | .MESSAGE_ID // "none: \(.MESSAGE)"' |
        sort --unique >"$I4_WORK/ids"
assert_no_match "$(cat "$I4_WORK/ids")" none "entries"
while read -r id; do
        machine journalctl --quiet --catalog --lines=1 --unit=i4d.service MESSAGE_ID="$id" >"$I4_WORK/text"
        assert_match "$(cat "$I4_WORK/text")" "Defined-By: i4" "explanation of $id"
        assert_no_match "$(cat "$I4_WORK/text")" "@[A-Z_]+@" "explanation of $id"
done <"$I4_WORK/ids"
[[ $(wc --lines <"$I4_WORK/ids") -ge 7 ]] || fail "only these were seen: $(xargs <"$I4_WORK/ids")"

step "nothing worse than a notice was said of all this"
assert_equal "$(journal --priority=warning --output=cat SYSLOG_IDENTIFIER=i4d)" "" "warnings"

step "a start with a mistake in the settings says which, with status 2"
configure <<'END'
[Generator]
Rate=fast
END
machine systemctl stop i4d.service
! machine systemctl start i4d.service 2>/dev/null || fail "it starts all the same"
journal_wait "A mistake in the settings"
assert_match "$(journal --output=cat MESSAGE_ID="$(condition_id "A mistake in the settings")")" \
        "case.conf:2:.*Rate" "the mistake"
assert_equal "$(service_get ExecMainStatus)" 2 "exit status"

step "which is not tried again, until somebody starts it"
assert_equal "$(service_get ActiveState) $(service_get NRestarts)" "failed 0" "state and restarts"
! machine i4 tail -n 1 2>"$I4_WORK/err" || fail "there is something to read"
assert_match "$(cat "$I4_WORK/err")" "nobody answers.*systemctl status i4d" "message"
configure </dev/null
service_start
