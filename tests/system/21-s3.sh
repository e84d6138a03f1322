# SPDX-License-Identifier: Apache-2.0
#
# Readings into a bucket, which comes and goes.

. ./lib.sh

unit=i4-batch@s3.service
secret=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
objects=$I4_WORK/objects
service=

bucket_start() {
        python3 ../tools/s3_service.py "$objects" "${port:-0}" >"$I4_WORK/port" &
        service=$!
        wait_for "the bucket is there" test -s "$I4_WORK/port"
        port=$(<"$I4_WORK/port")
}

bucket_stop() {
        [[ -n $service ]] || return 0
        kill -KILL "$service"
        wait "$service" 2>/dev/null || true
        service=
}

object_count() {
        find "$objects" -name 'sensor-data_*.json' | wc --lines
}

unit_get() {
        machine systemctl show --value --property="$1" "$unit"
}

unit_journal() {
        machine journalctl --quiet --no-pager --unit="$unit" --since="$journal_since" "$@"
}

unit_said() {
        unit_journal --output=cat | grep -q "$1"
}

# From the first on each object begins where the one before ended.
assert_objects_complete() {
        find "$objects" -name '*.json' | sort | xargs cat |
                jq --raw-output '[.batch_meta.first_sequence, .batch_meta.last_sequence, (.records | length)] |
                        map(tostring) | join(" ")' |
                awk -v next_="$begin" '
                        $1 != next_ || $3 != $2 + 1 - $1 { print "after " next_ ": " $0; bad = 1; exit }
                        { next_ = $2 + 1; n++ }
                        END { exit bad || !n }
                ' || fail "the objects are not complete"
}

outlet_get() {
        stat_get ".outlets[] | select(.unit == \"i4-batch@s3\") | .status.$1"
}

mkdir -p "$objects"
trap bucket_stop EXIT
service_reset
service_start
begin=$(stat_get .ring.oldest_sequence)
bucket_start

step "without a bucket it is told what is missing"
! machine systemctl start "$unit" 2>/dev/null || fail "it started"
wait_for "it says why" unit_said "needs S3_BUCKET"
machine systemctl reset-failed "$unit"

step "started with a bucket and a key, it uploads"
machine cp /etc/i4/batch-s3.env /tmp/batch-s3.env
machine sh -c 'cat >>/etc/i4/batch-s3.env' <<END
S3_BUCKET=bucket
S3_ENDPOINT=http://127.0.0.1:$port
EDGE_NODE_ID=edge-1
END
machine sh -c 'umask 077 && cat >/etc/i4/aws-credentials' <<END
[default]
aws_access_key_id = AKIDEXAMPLE
aws_secret_access_key = $secret
END
machine systemctl start "$unit"
wait_for_at_least "objects" 10 object_count
assert_objects_complete
today=$(date --utc +%Y_%m_%d)
[[ -n $(find "$objects" -name "sensor-data_${today}_edge-1_*.json") ]] || fail "no object of that name"

step "nobody else can learn the key"
denied alice <<<"cat /etc/i4/aws-credentials"
uploader=$(machine pgrep i4-s3)
for pid in "$(unit_get MainPID)" "$uploader"; do
        machine cat "/proc/$pid/cmdline" "/proc/$pid/environ" | hidden "$secret" "process $pid"
done
unit_journal --output=verbose | hidden "$secret" "the journal"

step "it is in a sandbox"
process=$(machine cat "/proc/$uploader/status")
assert_match "$process" $'\nCapEff:\t0000000000000000\n' "capabilities"
assert_match "$process" $'\nSeccomp:\t2\n' "system call filter"

step "a bucket that is away is told, and what waits is counted"
bucket_stop
wait_for "it says so" unit_said "cannot upload .*trying again"
wait_for_at_least "batches that wait" 10 outlet_get waiting_batches
assert_match "$(outlet_get error)" "connect" "error"
assert_match "$(machine i4 stat)" "i4-batch@s3: .*batches waiting; to bucket; .*connect" "i4 stat"
assert_match "$(unit_get StatusText)" "waiting" "status line"

step "killed meanwhile, it has lost nothing when the bucket is back"
machine systemctl kill --signal=KILL "$unit"
wait_for_value "state" active unit_get ActiveState
n=$(object_count)
bucket_start
wait_for_at_least "objects" $((n + 20)) object_count
wait_for "it says so" unit_said "uploading into s3://bucket"
assert_objects_complete

step "a stop leaves in the spool what is not yet in the bucket, and a start goes on with it"
machine systemctl stop "$unit"
assert_equal "$(unit_get Result)" success "result"
n=$(object_count)
machine systemctl start "$unit"
wait_for_at_least "objects" $((n + 20)) object_count
machine systemctl stop "$unit"
assert_objects_complete
machine cp /tmp/batch-s3.env /etc/i4/batch-s3.env
machine rm /etc/i4/aws-credentials
