#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sensor-gen from outside: what it writes, what it says, how it ends.
#
#     test-sensor-gen.sh PATH-OF-SENSOR-GEN PATH-OF-CATALOG

set -u

generator=$(readlink -f "$1")
shipped=$(readlink -f "$2")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory" || exit 1

n_failed=0

fail() {
        echo "FAILED: $case: $*"
        n_failed=$((n_failed + 1))
}

# Runs it with messages in out and err, and expects an exit status.
run() {
        expected=$1
        shift
        "$generator" "$@" >out 2>err
        status=$?
        [ "$status" -eq "$expected" ] || fail "exit status $status instead of $expected: $(cat err)"
}

# Every line of a file begins and ends as a reading does, and there are so many.
lines() {
        n=$(wc -l <"$1")
        [ "$n" -eq "$2" ] || fail "$1 has $n lines instead of $2"
        n=$(grep -c '^{"sensor_id":"SNS-[a-z]\{3\}-[0-9]\{4,\}","timestamp":".*}$' "$1")
        [ "$n" -eq "$2" ] || fail "$n lines of $1 are readings, not $2"
}

says() {
        grep -q -e "$2" "$1" || fail "$1 does not say: $2"
}

# Waits until a file has something in it.
arrives() {
        for _ in $(seq 500); do
                [ -s "$1" ] && return
                sleep 0.02
        done
        fail "nothing arrives in $1"
}

# A run that makes the same readings each time.
repeatable() {
        "$@" -seed 7 -from 2026-01-01T00:00:00Z -rate 1000
}


case="exactly rate times duration"
run 0 -rate 10000 -d 1s -model uniform -o a.jsonl
lines a.jsonl 10000

case="the reference's messages"
says out '^Generating sensor data to a.jsonl (overwriting) at ~10000 entries/sec$'
says out '^Duration: 1s$'
says out '^Press Ctrl+C to stop...$'
says out '^--- Final Stats ---$'
says out '^Total entries: 10000$'
says out '^Duration: 1\.\{0,1\}[0-9]*s$'
says out '^Average rate: [0-9]* entries/sec$'
says out '^File size: 2.5[0-9] MB$'
says out '^Avg entry size: 26[0-9] bytes$'
[ -s err ] && fail "something on standard error"

case="even spacing, no gap between batches"
cut -d . -f 2 a.jsonl | cut -c 1-6 | awk 'NR > 1 { d = ($1 - last + 1000000) % 1000000; if (d != 100) bad++ }
                { last = $1 } END { exit bad > 0 }' || fail "readings are not 100 us apart"

case="same bytes for the same seed and start"
repeatable run 0 -d 10s -o b.jsonl
lines b.jsonl 10000
repeatable taskset -c 0 "$generator" -d 10s -o - >c.jsonl 2>err || fail "exit status $?"
cmp b.jsonl c.jsonl || fail "a file and a pipe differ"
says err 'Total entries: 10000'
run 0 --seed=8 --from=2026-01-01T00:00:00Z --rate=1000 --d=10s --o=c.jsonl
cmp -s b.jsonl c.jsonl && fail "another seed gives the same"
says b.jsonl '"timestamp":"2026-01-01T00:00:09.999000Z"'

case="overwriting"
repeatable run 0 -d 1s -o b.jsonl
lines b.jsonl 1000

case="appending ends a torn line first"
printf '{"sensor_id":"SNS-' >>b.jsonl
repeatable run 0 -d 1s -o b.jsonl -append
[ "$(wc -l <b.jsonl)" -eq 2001 ] || fail "$(wc -l <b.jsonl) lines"
[ "$(sed -n 1001p b.jsonl)" = '{"sensor_id":"SNS-' ] || fail "the torn line has changed"
[ "$(sed -n 1p b.jsonl)" = "$(sed -n 1002p b.jsonl)" ] || fail "the first line after it is not whole"

case="appending to what is whole, to nothing, to a pipe"
repeatable run 0 -d 1s -o d.jsonl --append
repeatable run 0 -d 1s -o d.jsonl --append
lines d.jsonl 2000
says out '(appending)'
repeatable "$generator" -d 1s -o - -append 2>err | cat >e.jsonl
lines e.jsonl 1000

case="a file that standard output appends to"
repeatable "$generator" -d 1s -o - 2>err >>e.jsonl
lines e.jsonl 2000

case="other settings"
run 0 -from @0 -rate 90/min -d 1min -o f.jsonl -sensors 3 -anomalies 0% -model uniform -batchsec 5ms -catchupsec 1min
lines f.jsonl 90
says out 'at ~90 entries/min$'
says out '^Duration: 1m0s$'
[ "$(cut -d '"' -f 4 f.jsonl | sort -u | wc -l)" -eq 3 ] || fail "not three sensors"
run 0 -from @0 -rate 1000 -d 1s -anomalies 100% -model uniform -o f.jsonl
[ "$(grep -c '"alert_level"' f.jsonl)" -eq 1000 ] || fail "an anomaly has no alert"

case="a catalog of one's own"
cat >catalog.json <<'EOF'
{
  "types": [ {"name": "level", "unit": "m", "prefix": "lev", "minimum": 1, "maximum": 2} ],
  "pipelines": [ {"id": "PIPE-XX-042"} ]
}
EOF
run 0 -from @0 -rate 1000 -d 1s -catalog catalog.json -o f.jsonl
lines f.jsonl 1000
n=$(grep -c '^{"sensor_id":"SNS-lev-[0-9]*".*"unit":"m".*"PIPE-XX-042"' f.jsonl)
[ "$n" -eq 1000 ] || fail "$n lines follow the catalog"
sed -i 's/"maximum": 2/"maximum": 0/' catalog.json
run 2 -from @0 -d 1s -catalog catalog.json -o never.jsonl
says err '^catalog.json:2: '
[ -e never.jsonl ] && fail "a mistake made a file"

case="a plant of one's own"
repeatable run 0 -d 8s -anomalies 0% -o builtin.jsonl
repeatable run 0 -d 8s -anomalies 0% -catalog "$shipped" -o shipped.jsonl
cmp -s builtin.jsonl shipped.jsonl || fail "the shipped catalog is not the built-in one"
cat >plant.json <<'EOF'
{
  "types": [ {"name": "level", "unit": "m", "prefix": "lev", "minimum": 1, "maximum": 2, "site": "station",
              "limits": {"high": 1.01, "deadband": 0.3}} ],
  "pipelines": [ {"id": "PIPE-XX-042", "route": [{"lat": 40, "lon": -100}, {"lat": 41, "lon": -100}],
                  "length_miles": 100, "stations": [0, 12.5, 60]} ]
}
EOF
repeatable run 0 -d 1s -anomalies 0% -catalog plant.json -o f.jsonl
cat >places <<'EOF'
{"lat":40.000000,"lon":-100.000000,"mile_post":0.00}
{"lat":40.125000,"lon":-100.000000,"mile_post":12.50}
{"lat":40.600000,"lon":-100.000000,"mile_post":60.00}
EOF
grep -o '{"lat"[^}]*}' f.jsonl | sort -u | cmp -s - places || fail "sensors do not stand at stations"
n=$(grep -c '"status":"warning".*"alert_level":"medium"\|"status":"maintenance"' f.jsonl)
[ "$n" -eq 1000 ] || fail "$n readings instead of all are beyond the limit"
sed -i 's/"length_miles": 100/"length_miles": 50/' plant.json
run 2 -from @0 -d 1s -catalog plant.json -o never.jsonl
says err '^plant.json:5: "length_miles" must not be less than its route, which is 69.05 miles long$'
[ -e never.jsonl ] && fail "a mistake made a file"

case="anomalies of some kinds only"
repeatable run 0 -d 60s -sensors 80 -anomalies 50% -anomalymix stuck=1,noise=1 -labels inline -o f.jsonl
kinds=$(grep -o '"label":"[a-z_]*"' f.jsonl | cut -d '"' -f 4 | sort -u | tr '\n' ' ')
[ "$kinds" = "noise none stuck " ] || fail "of what was asked for there is: $kinds"
run 2 -anomalymix leek=1
says err "^sensor-gen: -anomalymix: 'leek=1' is not weights such as leak=2,stuck=1"

case="as fast as possible, one core"
taskset -c 0 "$generator" -rate max -d 300ms -o /dev/null >out 2>err || fail "exit status $?"
says out 'as fast as the machine goes$'
says out '^Total entries: [1-9][0-9]\{4,\}$'

case="a rate out of reach ends all the same"
run 0 -rate 1000000000 -d 500ms -o /dev/null
says out '^Not made in time: [1-9][0-9]* entries$'

case="the seed is told"
run 0 -v -d 10ms -o g.jsonl
says out '^Seed: [0-9]*$'

case="a closed pipe is an end"
{ "$generator" -rate max -o - 2>err; echo $? >status; } | head -n 3 >h.jsonl
[ "$(cat status)" -eq 0 ] || fail "exit status $(cat status)"
lines h.jsonl 3
says err 'Final Stats'

case="a full disk"
run 1 -rate 1000 -o /dev/full
says err '^sensor-gen: /dev/full: No space left on device$'
says out '^Total entries: 0$'

case="a file that may not grow"
(ulimit -f 100 && repeatable "$generator" -d 1h -o i.jsonl >out 2>err)
[ $? -eq 1 ] || fail "exit status is not 1"
says err '^sensor-gen: i.jsonl: File too large$'

case="no such directory"
run 1 -o nowhere/a.jsonl
says err '^sensor-gen: nowhere/a.jsonl: No such file or directory$'

case="signals"
for signal in INT TERM HUP; do
        rm -f k.jsonl
        # Whoever runs the tests may have had HUP ignored, which sensor-gen would respect.
        env --default-signal=HUP "$generator" -rate 1000 -o k.jsonl >out 2>err &
        arrives k.jsonl
        kill -s "$signal" $!
        wait $! || fail "exit status $? after $signal"
        says out '^Total entries: [1-9][0-9]*$'
        lines k.jsonl "$(sed -n 's/^Total entries: //p' out)"
done

case="a pipe that nobody reads: the first signal ends, the second does not wait"
mkfifo fifo
# shellcheck disable=SC2217
sleep 600 <fifo &
sleeper=$!
# What the last case left there has not arrived.
rm -f out
"$generator" -rate max -o fifo >out 2>err &
pid=$!
arrives out
while kill -s TERM "$pid" 2>/dev/null; do sleep 0.02; done
wait "$pid" || fail "exit status $?"
says out '^Total entries: '
kill -s KILL "$sleeper"

case="progress on a terminal"
script -qec "'$generator' -rate 1000 -d 1100ms -o l.jsonl" /dev/null >out 2>err </dev/null
tr '\r' '\n' <out >progress
says progress '^  [0-9]* entries written ([0-9]*/sec avg)'
says progress '^Total entries: 1100$'

case="shards add up to the whole"
for model in network uniform; do
        for rate in 4000 333/min; do
                all="-seed 7 -from 2026-01-01T00:00:00Z -rate $rate -d 6s -model $model -sequence -labels inline"
                # shellcheck disable=SC2086
                run 0 $all -o whole.jsonl
                rm -f shard.jsonl
                for i in 0 1 2 3; do
                        # shellcheck disable=SC2086
                        run 0 $all -shard $i/4 -append -o shard.jsonl
                done
                [ -s whole.jsonl ] || fail "there is nothing to compare"
                sort whole.jsonl >whole.sorted
                sort shard.jsonl | cmp -s - whole.sorted || fail "$model at $rate: other bytes"
        done
done
repeatable run 0 -d 10s -shard 1/2 -o shard.jsonl
lines shard.jsonl 5000

case="a rate that changes, in shares and at another speed"
all="-seed 7 -from 2026-01-01T00:00:00Z -rate 50 -d 5min -sequence"
for schedule in "100..500 for 5s, 1000 for 2500ms, daily 10..20 for 2min, 333/min for 1min, repeat" "300 for 10s"; do
        # shellcheck disable=SC2086
        run 0 $all -schedule "$schedule" -o whole.jsonl
        says out ' by schedule$'
        rm -f shard.jsonl
        for i in 0 1 2 3; do
                # shellcheck disable=SC2086
                run 0 $all -schedule "$schedule" -shard $i/4 -append -o shard.jsonl
        done
        sort whole.jsonl >whole.sorted
        sort shard.jsonl | cmp -s - whole.sorted || fail "$schedule: the shares are not the whole"
        # shellcheck disable=SC2086
        run 0 $all -schedule "$schedule" -speed 200 -o fast.jsonl
        cmp fast.jsonl whole.jsonl || fail "$schedule: the speed changes readings"
done
# 300 a second, then 50
lines whole.jsonl $((10 * 300 + 290 * 50))

case="a scenario, and the list of what has shown"
echo '{"kind":"stuck","sensor":"SNS-pre-0000","start":"+2s","for":"5s"}' >scenario
repeatable run 0 -sensors 8 -d 10s -anomalies 0% -labels sidecar -scenario scenario -o m.jsonl
[ "$(wc -l <m.events.jsonl)" -eq 1 ] || fail "not one incident: $(cat m.events.jsonl)"
says m.events.jsonl '"kind":"stuck","sensor":"SNS-pre-0000","start":"2026-01-01T00:00:02.000000000Z"'
repeatable run 0 -sensors 8 -d 10s -anomalies 0% -labels sidecar -scenario m.events.jsonl -o n.jsonl
cmp -s m.jsonl n.jsonl || fail "what has shown makes another run"
cmp -s m.events.jsonl n.events.jsonl || fail "what has shown shows otherwise"
echo '{"kind":"stuck"}' >scenario
cp m.jsonl before.jsonl
repeatable run 2 -d 10s -scenario scenario -o m.jsonl
says err '^scenario:1: '
cmp -s m.jsonl before.jsonl || fail "a mistake in the scenario cost the output"
repeatable run 1 -d 1s -labels sidecar -o /dev/null

case="an end by time"
repeatable run 0 -d 10s -o whole.jsonl
repeatable run 0 -to 2026-01-01T00:00:10Z -o to.jsonl
cmp -s whole.jsonl to.jsonl || fail "-to and -d differ"

case="the past, then the present, without a seam"
from=$(($(date +%s) - 30))
run 0 -seed 7 -from @$from -rate 1000 -then-live -d 1s -sequence -o live.jsonl
n=$(wc -l <live.jsonl)
[ "$n" -ge 31000 ] || fail "only $n lines"
run 0 -seed 7 -from @$from -rate 1000 -d 60s -sequence -o all.jsonl
head -n "$n" all.jsonl | cmp -s - live.jsonl || fail "live is not what it would have been"

# Two seconds, so that it is on time once in the last of them on a machine that is busy with others.
case="an hour in two seconds"
run 0 -seed 7 -from @$from -rate 10 -speed 1800 -d 1h -o fast.jsonl
run 0 -seed 7 -from @$from -rate 10 -d 1h -o slow.jsonl
lines fast.jsonl 36000
cmp -s fast.jsonl slow.jsonl || fail "the speed changes readings"

case="dirty lines, the same ones every time"
repeatable run 0 -d 100s -sequence -o clean.jsonl
repeatable run 0 -d 100s -sequence -dirty 5% -dirty-log log.jsonl -o dirty.jsonl
n=$(sed -n 's/^Dirty lines: .*duplicate \([0-9]*\).*/\1/p' out)
[ "$(wc -l <dirty.jsonl)" -eq "$((100000 + n))" ] || fail "not one line more for each duplicate"
n=$(sed -n 's/^Dirty lines: //p' out | tr -cs '0-9' '\n' | awk '{ n += $1 } END { print n }')
[ "$(wc -l <log.jsonl)" -eq "$n" ] || fail "the log does not agree with $n"
repeatable run 0 -d 100s -sequence -dirty 5% -o - >/dev/null
cmp -s out dirty.jsonl || fail "another run is dirty in another way"
repeatable run 0 -d 100s -sequence -dirty 0% -o same.jsonl
says out '^Dirty lines: none$'
cmp -s same.jsonl clean.jsonl || fail "no dirt, but other lines"
run 1 -d 1s -dirty 5% -o /dev/full
says err '/dev/full: No space left'

case="usage"
for arguments in '-rate 0' '-rate 1e4' '-rate 1000000001' '-d 5x' '-d -5s' '-nonsense' '-rate' 'sensors.jsonl' '-seed -1' \
                '-from yesterday' '-from 2026-02-30T00:00:00Z' '-from 9999-01-01T00:00:00Z' '-from 2200-01-01T00:00:00Z' \
                '-from @0 -rate max -d 1s' '-sensors 0' '-anomalies 2' '-anomalies 101%' '-anomalymix leak' '-anomalymix leak=0' '-model physics' '-batchsec 0' \
                '-catchupsec 1s' '-shard 4/4' '-shard 0/2000' '-schedule max' '-schedule 5,6' '-schedule 5 -rate max' '-speed 0' '-speed 2 -rate max' '-to @5' '-from @5 -to @5' '-from @5 -to @9 -d 1s' '-then-live' '-from @5 -then-live -to @9' '-from @5 -then-live -speed 2' '-shard 1' '-shard 0/3' '-shard 0/2 -rate max' '-labels sidecar -o -' '-dirty 1' '-dirty nul=1%' '-dirty null=60%,late=50%' '-dirty-log x' '-append=perhaps' '-o='; do
        # shellcheck disable=SC2086
        run 2 $arguments
        [ "$(wc -l <err)" -eq 1 ] || fail "not one line for $arguments: $(cat err)"
        says err '^sensor-gen: '
        [ -s out ] && fail "something on standard output for $arguments"
        [ -e output.jsonl ] && fail "$arguments made a file"
done

case="help and version"
run 0 --help
says out '^Usage: sensor-gen'
says out '^Examples:'
run 0 -h
run 0 -version
says out '^sensor-gen [0-9.]*$'

case="standard output closed or full"
"$generator" -v -seed 7 -from 2026-01-01T00:00:00Z -rate 100 -d 1s -o closed.jsonl >&- 2>err
status=$?
[ "$status" -eq 1 ] || fail "exit status $status with standard output closed"
says err '^sensor-gen: cannot write to standard output'
run 0 -v -seed 7 -from 2026-01-01T00:00:00Z -rate 100 -d 1s -o open.jsonl
cmp open.jsonl closed.jsonl || fail "what was printed is among the readings"
"$generator" -h >/dev/full 2>err
status=$?
[ "$status" -eq 1 ] || fail "exit status $status of help into a full disk"
says err '^sensor-gen: cannot write to standard output: No space left on device$'

[ "$n_failed" -eq 0 ] || exit 1
echo "all is well"
