# SPDX-License-Identifier: Apache-2.0
#
# The units are sound, and the sandbox is as tight as systemd can tell.

. ./lib.sh
service_reset
service_start

step "the units verify"
machine systemd-analyze verify --man=no i4d.service i4d.socket i4d-control.socket >"$I4_WORK/verify" 2>&1 ||
        fail "$(cat "$I4_WORK/verify")"
assert_equal "$(cat "$I4_WORK/verify")" "" "what systemd-analyze has to say"

step "the exposure is 0.5 at most"
machine systemd-analyze security --no-pager --threshold=5 i4d.service >"$I4_WORK/security" ||
        fail "$(tail -n 3 "$I4_WORK/security")"
tail -n 1 "$I4_WORK/security"

step "orders are for root: members of the group are refused, and nothing changes"
for user in alice bob; do
        ! as_user "$user" i4 inject stuck --sensor SNS-pre-0042 --for 10s >"$I4_WORK/out" 2>"$I4_WORK/err" ||
                fail "$user gave an order"
        assert_match "$(cat "$I4_WORK/err")" "only root gives orders" "message to $user"
done
! machine test -e /var/lib/i4/injected.jsonl || fail "an order was recorded"
machine i4 inject stuck --sensor SNS-pre-0042 --for 10s >/dev/null
assert_match "$(machine cat /var/lib/i4/injected.jsonl)" '"kind":"stuck","sensor":"SNS-pre-0042"' "record"
journal_wait "An incident was ordered"
assert_equal "$(journal_count "An incident was ordered")" 1 "number of orders in the journal"

step "with all that, io_uring works"
assert_equal "$(stat_get .storage.engine)" io_uring "engine"

step "a reader has the ring read-only, and no descriptor that could be opened anew"
reader_start alice alice --format csv
wait_for_value "readers" 1 stat_get .readers.attached
pid=$(machine systemctl show --value --property=MainPID case-alice)
assert_equal "$(machine sed -n 's/^[^ ]* \([^ ]*\) .*memfd:.*/\1/p' "/proc/$pid/maps" | sort --unique)" "r--s" "mapping"
assert_no_match "$(machine ls -l "/proc/$pid/fd")" "memfd" "descriptors"

# attempts USER: what attack-daemon says of what that user can do, into $I4_WORK/attempts
attempts() {
        as_user "$1" attack-daemon /run/i4/ring.sock "$(service_get MainPID)" >"$I4_WORK/attempts" ||
                fail "the attempts of $1 could not be made"
}

step "a member of the group cannot write the ring, nor get at the daemon: reopening, mapping, /proc, ptrace"
attempts alice
cat "$I4_WORK/attempts"
assert_equal "$(grep --count '^denied: ' "$I4_WORK/attempts")" 21 "number of attempts that were denied"
assert_no_match "$(cat "$I4_WORK/attempts")" "POSSIBLE" "what alice can do"
assert_match "$(cat "$I4_WORK/attempts")" "reopen the ring for writing: Permission denied" "why"

step "that these are attempts is shown by root, who may"
attempts root
for what in "reopen the ring for writing" "change the mode of the ring" "open the daemon's memory" "trace the daemon" \
        "write the daemon's memory" "list the daemon's descriptors" "open one of the daemon's descriptors"; do
        grep --quiet --line-regexp "POSSIBLE: $what" "$I4_WORK/attempts" || fail "root cannot: $what"
done

step "what the attacker did to the descriptor that all readers share is nothing to the others"
as_user bob i4 tail --from 0 -n 1000 --format csv | assert_gapless "bob after the attack"
pid=$(service_get MainPID)
service_kill KILL
service_wait_for_successor "$pid"
assert_equal "$(journal_count "A new ring")" 1 "number of rings"
as_user bob i4 tail --from 0 -n 1000 --format csv | assert_gapless "bob after a restart"

pid=$(service_get MainPID)
step "a stranger has nothing of the ring, the files and the orders' socket"
denied mallory <<END
i4 tail -n 1
i4 rotate
ls /var/lib/i4
ls /var/lib/i4/sealed
cat /var/lib/i4/readings.jsonl
cat /var/lib/i4/.sequence
ln /var/lib/i4/readings.jsonl /home/mallory/readings
ls /proc/$pid/fd
cat /proc/$pid/mem
END

step "a member reads, and changes nothing"
as_user alice head -c 100 /var/lib/i4/readings.jsonl >"$I4_WORK/head"
[[ -s $I4_WORK/head ]] || fail "alice cannot read"
denied alice <<'END'
i4 rotate
echo x >>/var/lib/i4/readings.jsonl
echo x >>/var/lib/i4/injected.jsonl
echo x >>/etc/i4/i4d.conf
truncate --size 0 /var/lib/i4/readings.jsonl
rm -f /var/lib/i4/readings.jsonl
mv -f /var/lib/i4/readings.jsonl /var/lib/i4/other
chmod 0660 /var/lib/i4/readings.jsonl
touch /var/lib/i4/planted
ln -s /etc/passwd /var/lib/i4/planted
ln /home/alice/.profile /var/lib/i4/planted
touch /var/lib/i4/sealed/planted
mkdir /etc/i4/planted
END

step "a socket cannot be squatted: its directory is root's"
for user in alice mallory; do
        denied "$user" <<'END'
rm -f /run/i4/ring.sock
rm -f /run/i4/ring.sock.control
mv -f /run/i4/ring.sock /run/i4/other.sock
ln -s /tmp/other.sock /run/i4/other.sock
mv -f /run/i4 /run/other
END
done
assert_equal "$(machine stat --format='%U %a' /run/i4)" "root 755" "owner and mode of the directory"

# by_hand_refused SETTING PATTERN OPTION…: a daemon that bob starts by hand must not start
by_hand_refused() {
        local what=$1 pattern=$2 status=0

        shift 2
        as_user bob timeout "$WAIT_S" i4d "$@" >"$I4_WORK/out" 2>&1 || status=$?
        assert_equal "$status" 1 "exit status of i4d: $what"
        assert_match "$(cat "$I4_WORK/out")" "$pattern" "$what"
}

step "by hand, a socket's path that somebody has is left alone, whatever lies there"
machine mkdir --mode=1777 /tmp/case/sticky
as_user mallory sh -c 'cd /tmp/case/sticky && printf mine >file && ln -s file link && ln -s nowhere dangling'
as_user bob mkdir /tmp/case/sticky/bob
for name in file link dangling; do
        by_hand_refused "$name" "Another program has /tmp/case/sticky/$name, see --socket" \
                --socket "/tmp/case/sticky/$name" --directory /tmp/case/sticky/bob
done
assert_equal "$(machine cat /tmp/case/sticky/file)" "mine" "what was there"
! machine test -e /tmp/case/sticky/nowhere || fail "a link was followed"
# A socket of hers on which nobody listens any more, as after a kill.
machine systemd-run --quiet --unit=case-dead --uid=mallory \
        i4d --socket /tmp/case/sticky/dead --directory /tmp/case/sticky/hers
wait_for "a socket" machine test -S /tmp/case/sticky/dead
machine systemctl kill --signal=KILL case-dead
wait_for "its end" reader_is_done dead
machine test -S /tmp/case/sticky/dead || fail "there is no dead socket"
by_hand_refused "a dead socket of another" "Another program has /tmp/case/sticky/dead, see --socket" \
        --socket /tmp/case/sticky/dead --directory /tmp/case/sticky/bob
assert_equal "$(machine stat --format=%U /tmp/case/sticky/dead)" mallory "owner of the socket"

step "by hand, links that were planted where readings are to be kept are not written through"
machine install --directory --owner=bob /tmp/case/bob
as_user bob sh -c 'cd /tmp/case/bob && printf "of bob\n" >bobs && mkdir --mode=0777 open && chmod 0777 open'
for name in readings.jsonl .sequence; do
        machine find /tmp/case/bob/open -mindepth 1 -delete
        as_user mallory ln -s /tmp/case/bob/bobs "/tmp/case/bob/open/$name"
        by_hand_refused "symbolic link $name" "symbolic link" --socket /tmp/case/bob/ring.sock --directory /tmp/case/bob/open
        machine rm "/tmp/case/bob/open/$name"
        # The kernel lets her do that only where fs.protected_hardlinks is off, so it is done for her.
        machine ln /tmp/case/bob/bobs "/tmp/case/bob/open/$name"
        by_hand_refused "hard link $name" "hard link" --socket /tmp/case/bob/ring.sock --directory /tmp/case/bob/open
done
machine find /tmp/case/bob/open -mindepth 1 -delete
as_user mallory ln -s /tmp/case/sticky /tmp/case/bob/open/sealed
by_hand_refused "sealed" "sealed in it, is not a directory" --socket /tmp/case/bob/ring.sock --directory /tmp/case/bob/open
assert_equal "$(machine cat /tmp/case/bob/bobs)" "of bob" "what bob had"
