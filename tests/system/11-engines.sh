# SPDX-License-Identifier: Apache-2.0
#
# io_uring where it is allowed, pwrite where it is refused or not wanted: the same bytes.

. ./lib.sh

step "io_uring by default"
service_reset
service_start
assert_equal "$(stat_get .storage.engine)" io_uring "engine"
wait_for_at_least "lines stored" 10000 stored_count
assert_stored_equals_ring
assert_equal "$(journal_count "io_uring is refused")" 0 "entries about it"

step "pwrite when it is asked for, which is nothing to tell"
service_reset
configure <<'END'
[Storage]
Engine=pwrite
END
service_start
assert_equal "$(stat_get .storage.engine)" pwrite "engine"
wait_for_at_least "lines stored" 10000 stored_count
assert_stored_equals_ring
assert_equal "$(journal_count "io_uring is refused")" 0 "entries about it"

step "pwrite when the kernel refuses io_uring, which is told once, with the reason"
service_reset
drop_in refuse <<'END'
[Service]
SystemCallFilter=~io_uring_setup
END
service_start
assert_equal "$(stat_get .storage.engine)" pwrite "engine"
wait_for_at_least "lines stored" 10000 stored_count
assert_stored_equals_ring
assert_equal "$(journal_count "io_uring is refused")" 1 "entries about it"
assert_match "$(journal_get "io_uring is refused" MESSAGE)" "Operation not permitted" "reason"

step "what is there is gone on with by the other engine"
n=$(stored_count)
machine rm /etc/systemd/system/i4d.service.d/refuse.conf
machine systemctl daemon-reload
machine systemctl restart i4d.service
assert_equal "$(stat_get .storage.engine)" io_uring "engine"
wait_for_at_least "lines stored" $((n + 10000)) stored_count
assert_stored_equals_ring
