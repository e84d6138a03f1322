# SPDX-License-Identifier: Apache-2.0
#
# Files are sealed and the oldest go: MaxUse= holds at every moment, KeepFree= against others who fill the disk, and
# what is there is one gapless stretch.

. ./lib.sh
service_reset
configure <<'END'
[Generator]
Rate=50000
[Storage]
MaxFileSize=1M
MaxUse=6M
KeepFree=0
END
service_start

# In use, in KiB, as the file system counts.
use_get() {
        machine sh -c 'du --total --block-size=1K /var/lib/i4/readings.jsonl /var/lib/i4/sealed/* 2>/dev/null |
                tail -n 1 | cut -f 1'
}

# All that is stored is whole lines, and no file is missing between the oldest and the last reading.
assert_gapless_files() {
        local file sequence expected="" total

        stored_lines >"$I4_WORK/stored"
        assert_lines_whole "$(wc --lines <"$I4_WORK/stored")" <"$I4_WORK/stored"
        while read -r file; do
                sequence=${file#readings-}
                sequence=$((10#${sequence%%-*}))
                [[ -z $expected ]] || assert_equal "$sequence" "$expected" "first reading of $file"
                expected=$((sequence + $(machine sh -c 'wc -l <"$1"' sh "/var/lib/i4/sealed/$file")))
        done < <(machine ls /var/lib/i4/sealed)
        total=$(journal_get "i4d stops" SENSOR_ACHIEVED_RECORDS)
        assert_equal "$((expected + $(machine sh -c 'wc -l </var/lib/i4/readings.jsonl')))" "$total" "readings up to the end"
}

free_get() {
        machine df --block-size=1K --output=avail /var/lib/i4 | tail -n 1
}

step "files are sealed"
wait_for_at_least "sealed files" 2 stat_get .storage.sealed_files
# The oldest would go while it is looked at.
service_kill STOP
first=$(machine sh -c 'ls /var/lib/i4/sealed | head -n 1')
assert_match "$first" '^readings-[0-9]{20}-[0-9]{8}T[0-9]{6}Z\.jsonl$' "name of the oldest"
assert_equal "$(machine stat -c '%a %U %G' "/var/lib/i4/sealed/$first")" "640 i4 i4" "sealed file"
as_user alice head -n 1 "/var/lib/i4/sealed/$first" | assert_lines_whole 1
service_kill CONT
journal --output=json MESSAGE_ID="$(condition_id "A file was sealed")" >"$I4_WORK/sealed"
assert_match "$(sed -n 1p "$I4_WORK/sealed" | jq --raw-output .STORAGE_FILE)" '^(sealed/)?readings-0{20}-' \
        "name of the first in the journal"

step "the oldest go, and no more is used than allowed"
journal_wait "A file was deleted" 10
most=0
for i in {1..50}; do
        use=$(use_get)
        most=$((use > most ? use : most))
done
assert_between "$most" 3000 6144 "the most in use in $i looks, KiB"
assert_between "$(stat_get .storage.use_bytes)" 1 6291456 "use as told"
assert_equal "$(stat_get .storage.limit_bytes)" 6291456 "limit as told"

step "sealed files and the live one follow on each other"
machine systemctl stop i4d.service
assert_gapless_files

step "somebody else fills the disk, and the oldest go before it is full"
service_reset
configure <<'END'
[Generator]
Rate=50000
[Storage]
MaxFileSize=1M
MaxUse=infinity
KeepFree=16M
END
disk_mount 64M
service_start
journal_wait "A file was deleted"
# More than is free at any time, and no more at once than is to stay free.
for i in {1..7}; do
        machine dd if=/dev/zero "of=/var/lib/i4/foreign.$i" bs=1M count=4 status=none || fail "the disk is full"
        assert_between "$(free_get)" 8192 65536 "free at worst, KiB"
        wait_for_at_least "free after piece $i, KiB" 16384 free_get
done
assert_equal "$(stat_get .storage.state)" writing "state of storage"
assert_equal "$(stat_get .storage.dropped_records)" 0 "readings dropped"
assert_between "$(stat_get .storage.use_bytes)" 1 $((20 << 20)) "use as told"
machine systemctl stop i4d.service
assert_equal "$(journal_count "No room for readings")" 0 "times that the disk was full"
assert_equal "$(journal_count "The limits leave no room for readings")" 0 "times that nothing could be deleted"
assert_gapless_files

step "by default it is a tenth of the file system at most"
service_reset
service_start
size=$(machine df --block-size=1 --output=size /var/lib/i4 | tail -n 1)
assert_between "$(stat_get .storage.limit_bytes)" 1 $((size / 10)) "limit as told"
