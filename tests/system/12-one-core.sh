# SPDX-License-Identifier: Apache-2.0
#
# One core is enough for daemon and readers.

. ./lib.sh
service_reset
drop_in core <<'END'
[Service]
CPUAffinity=0
END
service_start
assert_match "$(machine cat "/proc/$(service_get MainPID)/status")" $'\nCpus_allowed_list:\t0\n' "cores"
machine systemd-run --quiet --unit=case-alice --uid=alice --property=CPUAffinity=0 --property=RemainAfterExit=yes \
        --property=StandardOutput=truncate:/tmp/case/alice.out \
        --property=StandardError=truncate:/tmp/case/alice.err i4 tail --from 0 -n 50000 --format csv
reader_wait alice
reader_output alice | assert_gapless "what alice saw"
assert_equal "$(stat_get .generator.skipped_records)" 0 "skipped"
assert_equal "$(stat_get .storage.dropped_records)" 0 "dropped"
assert_between "$(stat_get '.generator.average_records_per_second | round')" 9900 10100 "rate"
assert_stored_equals_ring

step "as fast as one core goes, storage holds the generator back instead of losing"
configure <<'END'
[Generator]
Rate=max
[Storage]
MaxUse=400M
MaxFileSize=100M
END
machine systemctl reload i4d.service
journal_wait "New settings are in force"
from=$(stat_get .ring.next_sequence)
wait_for_at_least "published" $((from + 1000000)) stat_get .ring.next_sequence
assert_equal "$(stat_get .storage.dropped_records)" 0 "dropped"
as_user alice i4 tail -n 1 --format csv >/dev/null
