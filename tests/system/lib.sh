# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the cases are written in
#
# A case is a story: settings, act, assert. It runs on the host and speaks to the machine through machine();
# it never sleeps, it waits for conditions. Everything of i4's that it finds is as service_reset() left it.
#
# Readers are transient services of the machine, run as the user they are given, so they survive what a case
# does to the daemon and nothing outlives the machine. What they print is read with reader_output().

set -euo pipefail

# How long a condition may take, unless a case knows better: long, because machines that test are busy.
WAIT_S=30

# The journal begins here for this case.
journal_since=

#
# saying what went wrong
#

fail() {
        local frame=1

        # The line of the case, not of the helper that noticed.
        while [[ ${BASH_SOURCE[frame]} == *lib.sh && $frame -lt $((${#BASH_SOURCE[@]} - 1)) ]]; do
                frame=$((frame + 1))
        done
        echo "${BASH_SOURCE[frame]}:${BASH_LINENO[frame - 1]}: $*" >&2
        exit 1
}

step() {
        echo "- $*"
}

assert_equal() {
        [[ $1 == "$2" ]] || fail "${3:-value} is '$1', not '$2'"
}

assert_match() {
        [[ $1 =~ $2 ]] || fail "${3:-text} does not match '$2': $1"
}

assert_no_match() {
        [[ ! $1 =~ $2 ]] || fail "${3:-text} matches '$2': $1"
}

# assert_between VALUE LOW HIGH WHAT
assert_between() {
        [[ $1 -ge $2 && $1 -le $3 ]] || fail "$4 is $1, not within $2 and $3"
}

# wait_for WHAT COMMAND…: until COMMAND succeeds
wait_for() {
        local what=$1 deadline=$((SECONDS + WAIT_S))

        shift
        until "$@" >/dev/null 2>&1; do
                [[ $SECONDS -lt $deadline ]] || fail "waited $WAIT_S s in vain: $what"
                sleep 0.05
        done
}

# wait_for_value WHAT EXPECTED COMMAND…: until COMMAND prints EXPECTED
wait_for_value() {
        local what=$1 expected=$2 deadline=$((SECONDS + WAIT_S)) value

        shift 2
        until value=$("$@" 2>/dev/null) && [[ $value == "$expected" ]]; do
                [[ $SECONDS -lt $deadline ]] || fail "waited $WAIT_S s in vain: $what is '${value:-}', not '$expected'"
                sleep 0.05
        done
}

# wait_for_at_least WHAT NUMBER COMMAND…
wait_for_at_least() {
        local what=$1 least=$2 deadline=$((SECONDS + WAIT_S)) value

        shift 2
        until value=$("$@" 2>/dev/null) && [[ ${value:-0} -ge $least ]]; do
                [[ $SECONDS -lt $deadline ]] || fail "waited $WAIT_S s in vain: $what is ${value:-nothing}, not $least"
                sleep 0.05
        done
}

#
# the machine
#

machine() {
        nsenter --target "$I4_LEADER" --all -- env --chdir=/ --ignore-environment \
                PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8 "$@"
}

# as_user NAME COMMAND…, with the groups the user has
as_user() {
        local user=$1

        shift
        machine runuser -u "$user" -- "$@"
}

# denied USER: each command on standard input must fail for want of a permission, and tell nothing else
denied() {
        local line n=0

        tee "$I4_WORK/commands" | as_user "$1" sh -c '
                while read -r command; do
                        if answer=$(sh -c "$command" </dev/null 2>&1); then
                                echo "POSSIBLE: $command"
                        else
                                echo "denied: $command: $answer"
                        fi
                done
        ' >"$I4_WORK/denied"
        while read -r line; do
                assert_match "$line" "^denied: .*([Pp]ermission denied|not permitted|not allowed|only root)" "attempt of $1"
                n=$((n + 1))
        done <"$I4_WORK/denied"
        assert_equal "$n" "$(wc --lines <"$I4_WORK/commands")" "number of lines about the attempts of $1"
}

# hidden SECRET WHAT: standard input is something, and does not hold the secret
hidden() {
        local text

        text=$(tr '\0' '\n')
        [[ -n $text ]] || fail "$2 shows nothing at all"
        [[ $text != *"$1"* ]] || fail "$2 shows the secret"
}

# Standard input becomes that file.
machine_write() {
        machine sh -c 'mkdir -p "${1%/*}" && cat >"$1" && chmod 0644 "$1"' sh "$1"
}

#
# the service
#

# What the case says on standard input is laid over the settings that are shipped.
configure() {
        machine_write /etc/i4/i4d.conf.d/case.conf
}

# drop_in NAME: standard input is laid over the unit
drop_in() {
        machine_write "/etc/systemd/system/i4d.service.d/$1.conf"
        machine systemctl daemon-reload
}

# As after a first installation: nothing runs, no settings, no state, no ring.
service_reset() {
        machine sh -c '
                systemctl stop --quiet "case-*.service" "i4-*@*.service" i4d.service i4d.socket i4d-control.socket
                systemctl reset-failed
                rm -rf /etc/systemd/system/i4d.service.d /etc/i4/i4d.conf.d/case.conf
                # A transient unit that is not collected before the reload would come back from its file.
                rm -f /run/systemd/transient/case-*
                if mountpoint --quiet /var/lib/i4; then umount /var/lib/i4; fi
                find /var/lib/i4 -mindepth 1 -delete
                rm -rf /var/lib/i4-batch/* /tmp/case
                mkdir /tmp/case
                systemctl daemon-reload
        ' 2>/dev/null
        # Not a cursor: journalctl leaves out the first entry behind one, if only some are asked for.
        journal_since=@$EPOCHREALTIME
        echo "$journal_since" >"$I4_WORK/since"
}

service_start() {
        machine systemctl start i4d.socket i4d.service
}

# A property of the unit.
service_get() {
        machine systemctl show --value --property="$1" i4d.service
}

# status_matches PATTERN: the line that systemctl status shows
status_matches() {
        [[ $(service_get StatusText) =~ $1 ]]
}

# disk_mount SIZE: a file system of its own for what is stored
disk_mount() {
        machine mkdir -p /var/lib/i4
        machine mount -t tmpfs -o "size=$1,mode=0750,uid=i4,gid=i4" case /var/lib/i4
}

disk_resize() {
        machine mount -o "remount,size=$1" /var/lib/i4
}

# service_kill SIGNAL, to the main process
service_kill() {
        machine systemctl kill --kill-who=main --signal="$1" i4d.service
}

# Until another process than PID is the service, and ready.
service_wait_for_successor() {
        local predecessor=$1

        wait_for "another process takes over" service_is_succeeded "$predecessor"
}

service_is_succeeded() {
        local pid

        pid=$(service_get MainPID)
        [[ $pid -ne 0 && $pid -ne $1 && $(service_get ActiveState) == active ]]
}

# journal OPTION…: what the service and systemd said of it since the case began
journal() {
        machine journalctl --quiet --no-pager --unit=i4d.service --since="$journal_since" "$@"
}

# A condition goes by the subject of its text in the catalog.
condition_id() {
        local id

        id=$(awk -v subject="Subject: $1" '/^-- / { id = $2 } $0 == subject { print id }' ../../units/i4.catalog)
        [[ -n $id ]] || fail "the catalog has no '$1'"
        echo "$id"
}

journal_count() {
        journal --output=cat MESSAGE_ID="$(condition_id "$1")" | wc --lines
}

journal_wait() {
        wait_for_at_least "entries '$1'" "${2:-1}" journal_count "$1"
}

# journal_get CONDITION FIELD: of the latest such entry
journal_get() {
        journal --output=json MESSAGE_ID="$(condition_id "$1")" | tail --lines=1 | jq --raw-output ".$2"
}

# A key of what `i4 stat --json` prints, as a path of jq's.
stat_get() {
        machine i4 stat --json | jq --raw-output "$1"
}

#
# readers
#

# reader_start NAME USER ARGUMENT…: `i4 tail` in the background
reader_start() {
        local name=$1 user=$2

        shift 2
        machine systemd-run --quiet --unit="case-$name" --uid="$user" --property=RemainAfterExit=yes \
                --property=StandardOutput="truncate:/tmp/case/$name.out" \
                --property=StandardError="truncate:/tmp/case/$name.err" \
                --working-directory=/ \
                i4 tail "$@"
}

reader_state() {
        machine systemctl show --value --property=SubState "case-$1"
}

reader_is_done() {
        [[ $(reader_state "$1") =~ ^(exited|failed|dead)$ ]]
}

# Until the reader is done by itself; its exit status must be STATUS.
reader_wait() {
        local name=$1 status=${2:-0}

        wait_for "reader $name ends" reader_is_done "$name"
        assert_equal "$(machine systemctl show --value --property=ExecMainStatus "case-$name")" "$status" \
                "exit status of reader $name ($(machine cat "/tmp/case/$name.err"))"
}

reader_stop() {
        machine systemctl kill --signal=INT "case-$1" 2>/dev/null || true
        wait_for "reader $1 ends" reader_is_done "$1"
}

reader_is_attached() {
        [[ $(reader_state "$1") == running ]]
}

reader_output() {
        machine cat "/tmp/case/$1.out"
}

# How many records it has printed.
reader_count() {
        machine sh -c 'grep -c "^[0-9{]" "/tmp/case/$1.out" || true' sh "$1"
}

# As many more as said.
reader_wait_for_more() {
        local name=$1 n=$2

        wait_for_at_least "records of reader $name" $(($(reader_count "$name") + n)) reader_count "$name"
}

#
# records
#

# Sequence numbers of CSV records, a line each. What is not a whole line yet is left out.
csv_sequences() {
        sed -n 's/^\([0-9]\+\),.*/\1/p'
}

# The same of JSON Lines with Sequence=yes. By fields: an expression that goes back from the end of each line takes half a
# minute for what is stored in one.
json_sequences() {
        awk -F '"seq":' '$2 ~ /^[0-9]+}$/ { print substr($2, 1, length($2) - 1) }'
}

# Reads CSV: each number must be the one after the last.
assert_gapless() {
        local what=$1

        csv_sequences | awk -v what="$what" '
                NR > 1 && $1 != last + 1 { print what ": " last " is followed by " $1; bad = 1; exit }
                { last = $1 }
                END { if (!NR) { print what ": no records"; bad = 1 } exit bad }
        ' || fail "$what is not gapless"
}

# All that is stored, in order: sealed files, then the live one.
stored_lines() {
        machine sh -c 'cat $(ls /var/lib/i4/sealed/* 2>/dev/null | sort) /var/lib/i4/readings.jsonl'
}

stored_count() {
        stored_lines | wc --lines
}

# Every line is a whole JSON object of the reference's form.
assert_lines_whole() {
        local n_whole

        n_whole=$(jq --raw-input 'try (fromjson | select(has("sensor_id") and has("quality_score"))) catch empty | 1' |
                wc --lines)
        assert_equal "$n_whole" "$1" "number of whole lines"
}

# What is stored must be, byte for byte, the readings from the first on, as a reader of the ring prints them:
# nothing missing, nothing twice, nothing torn. The ring must still hold the first.
assert_stored_equals_ring() {
        local n

        stored_lines >"$I4_WORK/stored"
        n=$(wc --lines <"$I4_WORK/stored")
        [[ $n -gt 0 ]] || fail "nothing is stored"
        machine i4 tail --from 0 -n "$n" --format json >"$I4_WORK/ring"
        head --lines="$n" "$I4_WORK/stored" | cmp - "$I4_WORK/ring" ||
                fail "what is stored differs from what was published"
}
