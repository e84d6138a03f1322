# SPDX-License-Identifier: Apache-2.0
#
# Killed at random instants while a file is sealed behind each block and the oldest are deleted, both as fast as the
# disk goes: what is left is one gapless stretch of the ring's sequence, each time.
#
# $I4_KILLS says how often; tools/torture sets it.

. ./lib.sh
service_reset
configure <<'END'
[Generator]
Rate=1000000
[Storage]
Overflow=block
Sequence=yes
MaxFileSize=512K
MaxUse=16M
KeepFree=0
END

kills=${I4_KILLS:-5}
kept=/var/lib/case-kept
cc -O2 -o "$I4_WORK/check-lines" check-lines.c

# Second names for what is sealed at this moment, the newest first: those that are deleted meanwhile are the oldest.
sealed_keep() {
        # shellcheck disable=SC2016
        machine sh -c 'rm -rf "$1" && mkdir "$1" && cd /var/lib/i4/sealed && ls -r | while read -r file; do
                ln "$file" "$1" 2>/dev/null || break
        done' sh "$kept"
}

# The number that the first of the files on stdin begins with.
names_get_first() {
        local file

        read -r file
        file=${file#readings-}
        echo $((10#${file%%-*}))
}

# What is kept is whole and without a gap. Says which number comes next.
kept_check() {
        local files first

        files=$(machine ls "$kept")
        [[ $(wc --lines <<<"$files") -ge 3 ]] || fail "no more is sealed than: $files"
        first=$(names_get_first <<<"$files")
        # shellcheck disable=SC2016
        machine sh -c 'cat "$1"/*' sh "$kept" | "$I4_WORK/check-lines" "$first" ||
                fail "from $first on, what is sealed is not the sequence"
}

service_start
wait_for_at_least "sealed files" 3 stat_get .storage.sealed_files

last=0
for ((i = 1; i <= kills; ++i)); do
        pid=$(service_get MainPID)
        # The instant is to be any: this is no wait for something.
        sleep "0.$(printf '%03d' $((RANDOM % 400)))"
        service_kill KILL
        service_wait_for_successor "$pid"
        sealed_keep
        end=$(kept_check)
        [[ $end -ge $last ]] || fail "what is sealed ended at $last, and after kill $i at $end"
        last=$end
done

step "after kill $kills: all that was made is stored, but for the oldest, which were deleted"
next=$(stat_get .ring.next_sequence)
machine systemctl stop i4d.service
first=$(machine ls /var/lib/i4/sealed | names_get_first)
[[ $first -gt 0 ]] || fail "nothing was deleted"
end=$(stored_lines | "$I4_WORK/check-lines" "$first") || fail "from $first on, what is stored is not the sequence"
[[ $end -ge $next ]] || fail "stored up to $end, not to $next"
assert_equal "$(journal_get "i4d stops" STORAGE_LEFT_RECORDS)" 0 "readings not stored"
assert_between "$(machine sh -c 'du --total --block-size=1K /var/lib/i4/readings.jsonl /var/lib/i4/sealed/* |
        tail -n 1 | cut -f 1')" 1 16384 "in use, KiB"
step "readings $first to $end are left, in $(machine ls /var/lib/i4/sealed | wc --lines) files"
machine rm -r "$kept"
