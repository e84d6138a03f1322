# SPDX-License-Identifier: Apache-2.0
#
# New settings come into force while everything goes on; wrong ones change nothing.

. ./lib.sh
service_reset
service_start
pid=$(service_get MainPID)
reader_start alice alice --from oldest --format csv
reader_wait_for_more alice 100

rate_is() {
        local rate

        rate=$(stat_get '.generator.records_per_second | round')
        [[ $rate -ge $(($1 * 90 / 100)) && $rate -le $(($1 * 110 / 100)) ]]
}

step "a reload changes the rate, without a pause or a gap"
wait_for "the rate is 10000" rate_is 10000
configure <<'END'
[Generator]
Rate=20000
END
machine systemctl reload i4d.service
journal_wait "New settings are in force"
assert_equal "$(stat_get .generator.set_records_per_second)" 20000 "set rate"
wait_for "the rate is 20000" rate_is 20000
assert_equal "$(service_get ActiveState)" active "state after a reload"
assert_equal "$(service_get MainPID)" "$pid" "process"

step "a slow rate, too"
configure <<'END'
[Generator]
Rate=600/min
END
machine systemctl reload i4d.service
journal_wait "New settings are in force" 2
assert_equal "$(stat_get .generator.set_records_per_second)" 10 "set rate"

step "a bad file changes nothing, and the journal names file and line"
configure <<'END'
# the next is fine, but the one after it is not
[Generator]
Rate=5000
Rat=7
[Storage]
FlushSec=soon
END
machine systemctl reload i4d.service || true
journal_wait "The settings have mistakes, the old ones stay"
assert_equal "$(journal_count "A mistake in the settings")" 2 "mistakes told"
mistakes=$(journal --output=cat MESSAGE_ID="$(condition_id "A mistake in the settings")")
assert_match "$mistakes" "/etc/i4/i4d.conf.d/case.conf:4:.*Rat" "the first mistake"
assert_match "$mistakes" "/etc/i4/i4d.conf.d/case.conf:6:.*FlushSec" "the second mistake"
assert_equal "$(journal_get "A mistake in the settings" CONFIG_LINE)" 6 "line of the second mistake"
assert_equal "$(stat_get .generator.set_records_per_second)" 10 "set rate"
assert_equal "$(service_get ActiveState)" active "state"
! machine i4d --check 2>"$I4_WORK/err" || fail "--check finds nothing wrong"
assert_match "$(cat "$I4_WORK/err")" "case.conf:4" "what --check says"

step "what needs a restart is told so, and comes with it; readers reattach to the new ring by themselves"
configure <<'END'
[Ring]
Records=65536
END
machine i4d --check
machine systemctl reload i4d.service
journal_wait "A changed setting waits for a restart"
assert_equal "$(journal_get "A changed setting waits for a restart" CONFIG_KEY)" Records "setting"
assert_equal "$(stat_get .ring.capacity_records)" 262144 "capacity"
wait_for "the rate is 10000" rate_is 10000
machine systemctl restart i4d.service
assert_equal "$(stat_get .ring.capacity_records)" 65536 "capacity"
journal_wait "The ring from before was retired"
reader_wait_for_more alice 10000

step "nothing was lost on the way"
reader_stop alice
reader_output alice | assert_gapless "what alice saw"
