# SPDX-License-Identifier: Apache-2.0
#
# Twenty restarts as fast as they go, ten of them by kill -9: no start limit takes the service away, and a reader
# does not notice.

. ./lib.sh
service_reset
service_start
reader_start alice alice --from oldest --format csv
reader_wait_for_more alice 100

for i in {1..10}; do
        machine systemctl restart i4d.service
        pid=$(service_get MainPID)
        service_kill KILL
        service_wait_for_successor "$pid"
done

step "$i times twice"
assert_equal "$(service_get ActiveState)" active "state"
reader_wait_for_more alice 10000
reader_stop alice
reader_output alice | assert_gapless "what alice saw"
assert_equal "$(journal_count "A new ring")" 1 "number of rings"
assert_equal "$(stat_get .storage.dropped_records)" 0 "dropped"
assert_equal "$(machine systemctl list-units --quiet --failed --no-legend 'i4d*')" "" "failed units"
