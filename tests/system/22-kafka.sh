# SPDX-License-Identifier: Apache-2.0
#
# Readings into a topic, by a service that is killed and a cluster that comes and goes.

. ./lib.sh

unit=i4-kafka@main.service
secret=correct-horse-battery-staple

unit_get() {
        machine systemctl show --value --property="$1" "$unit"
}

unit_journal() {
        machine journalctl --quiet --no-pager --unit="$unit" --since="$journal_since" "$@"
}

unit_said() {
        unit_journal --output=cat | grep -q "$1"
}

position() {
        local file=$I4_WORK/root/var/lib/i4-kafka/main/position.json

        if [[ -s $file ]]; then jq --raw-output .next_sequence "$file"; else echo 0; fi
}

order() {
        echo "$1" >&"${cluster[1]}"
        read -r answer <&"${cluster[0]}"
        assert_equal "$answer" "done" "order $1"
}

outlet_get() {
        stat_get ".outlets[] | select(.unit == \"i4-kafka@main\") | .status.$1"
}

stat_says() {
        machine i4 stat | grep -q "$1"
}

service_reset
service_start
coproc cluster { exec "$I4_BUILD/tests/tools/kafka-cluster" 2>/dev/null; }
read -r brokers <&"${cluster[0]}"

step "without brokers it is told what is missing"
! machine systemctl start "$unit" 2>/dev/null || fail "it started"
wait_for "it says why" unit_said "no brokers: give --brokers"
machine systemctl reset-failed "$unit"

step "started with brokers, it sends"
machine cp /etc/i4/kafka-main.env /tmp/kafka-main.env
machine sh -c 'cat >>/etc/i4/kafka-main.env' <<END
KAFKA_BROKERS=$brokers
EDGE_NODE_ID=edge-1
END
machine sh -c 'umask 077 && cat >/etc/i4/kafka-main.conf' <<END
# no use of it is made without SASL
sasl.password=$secret
linger.ms=20
END
machine systemctl start "$unit"
wait_for_at_least "position" 5000 position

step "nobody else can learn the password"
pid=$(unit_get MainPID)
denied alice <<<"cat /etc/i4/kafka-main.conf"
machine cat "/proc/$pid/cmdline" "/proc/$pid/environ" | hidden "$secret" "process $pid"
unit_journal --output=verbose | hidden "$secret" "the journal"

step "it is in a sandbox"
process=$(machine cat "/proc/$pid/status")
assert_match "$process" $'\nCapEff:\t0000000000000000\n' "capabilities"
assert_match "$process" $'\nSeccomp:\t2\n' "system call filter"

step "killed, it goes on"
for _ in 1 2 3; do
        n=$(position)
        machine systemctl kill --signal=KILL "$unit"
        wait_for_at_least "position" $((n + 5000)) position
done

step "a cluster that is away is told"
order down
wait_for "it says so" unit_said "the cluster is away"
wait_for "i4 stat says so" stat_says "i4-kafka@main: .*to i4-readings; .*down"
order up
wait_for "it says so" unit_said "the cluster is back"
wait_for_at_least "position" $(($(position) + 5000)) position
machine systemctl stop "$unit"
assert_equal "$(unit_get Result)" success "result"

step "every reading has arrived"
kcat -C -b "$brokers" -t i4-readings -e -q -o beginning -f '%h\n' | sed 's/.*sequence=//' | sort --numeric-sort --unique |
        awk '$1 != NR - 1 { print "after " NR - 1 " comes " $1; exit 1 } END { exit NR < 20000 }' ||
        fail "readings are missing"

machine cp /tmp/kafka-main.env /etc/i4/kafka-main.env
machine rm /etc/i4/kafka-main.conf
