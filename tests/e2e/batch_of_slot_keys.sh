#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# keys in a slot are enrolled by the rows of a table, many at a time, and nothing is asked for twice however often it ends
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/digicert-one.sh
source "$TESSERA_SOURCE/tests/lib/digicert-one.sh"
cd "$TESSERA_SANDBOX/tmp"
start_digicert_one 8443
add_digicert_one 8443
tessera --json connection show digicert | jq '.["pickup-seconds"] = 1' >digicert.json
tessera connection update digicert.json >/dev/null
printf '271828\n' >pin
tessera slot add seals --create --keep-pin --pin-file pin >/dev/null
tessera template add - >/dev/null <<'END'
{"name": "sealer", "card-type": "hsm-key", "keys": [{"algorithm": "ec-p256", "certificate":
  {"authority": "digicert", "profile": "Card authentication", "subject": [["serialNumber", "{number}"]]}}]}
END

# table NAME ROWS: NAME.csv, with the labels NAME-1, NAME-2, ...
table() {
    seq "$2" | awk -v name="$1" 'BEGIN { print "label,number,email" }
        { printf "%s-%d,%s number %d,seal@example.org\n", name, $1, name, $1 }' >"$1.csv"
}
batch() {
    tessera slot batch seals "$1.csv" --template sealer "${@:2}"
}
# outcomes NAME: "enrolled 3 failed 1", of all rows that were begun
outcomes() {
    cut -d, -f2 "$1.result.csv" | tail -n +2 | sort | uniq -c | awk '{ print $2, $1 }' | xargs
}
# expect_outcomes NAME OUTCOMES REQUESTS: so many requests came since `asked` was set
expect_outcomes() {
    [ "$(outcomes "$1")" = "$2" ] || fail "outcomes are $(outcomes "$1"): $(cat "$1.result.csv")"
    [ $(($(counted asked) - asked)) = "$3" ] || fail "$(($(counted asked) - asked)) requests instead of $3"
}
collect() {
    local task
    for task in $(tessera --json task list | jq -r '.[].id'); do
        tessera task run "$task" >>tasks.log 2>&1 || true
    done
}
# Each key has the one certificate that was issued for it.
expect_whole() {
    local number
    for number in $(seq "$2"); do
        tessera card certificate "slot:seals/$1-$number" hsm --der --output store.der
        foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --token-label seals --read-object --type cert \
            --label "$1-$number" --output-file token.der >tool.log 2>&1 || fail "no certificate: $(cat tool.log)"
        cmp store.der token.der || fail "the token has another certificate for $1-$number"
    done
    [ "$(digicert_one '{"certificates": true}' | jq '[.[] | select(.status == "issued") | .pem] | length')" = "$3" ] ||
        fail "another number of certificates is valid than $3: $(digicert_one '{"certificates": true}' | jq '[.[].status]')"
}

# --- tables that are wrong
printf 'name,number\na,1\n' >wrong.csv
expect_failure any batch wrong
[[ $output == *'no column "label"'* ]] || fail "$output"
printf 'label,number\na,1\nb,2\na,3\n' >wrong.csv
expect_failure any batch wrong
[[ $output == *'rows 1 and 3 have the same label'* ]] || fail "$output"
echo "ok a table without labels, or with one twice, is refused"

# --- one that is denied, one that takes its time
asked=0
table mixed 8
knob '{"pending": 2, "pending-for": "mixed number 3", "fail": {"path": "/certificate", "method": "POST", "containing": "mixed number 1", "status": 422}}'
expect_failure any batch mixed
[[ $output == *'1 of 8 rows failed'* ]] || fail "$output"
expect_outcomes mixed "enrolled 6 failed 1 pending 1" 8
batch mixed >said
grep -q '7 of 8 rows are enrolled, 1 pending' said || fail "$(cat said)"
expect_outcomes mixed "enrolled 7 pending 1" 9
until batch mixed >said && [ "$(outcomes mixed)" = "enrolled 8" ]; do
    collect
done
expect_outcomes mixed "enrolled 8" 9
expect_whole mixed 8 8
tessera --json slot batch seals mixed.csv --template sealer | jq -e '.enrolled == 8 and .failed == 0' >/dev/null
expect_outcomes mixed "enrolled 8" 9
no_knobs
echo "ok a row that is denied or pending stops no other, and the same command goes on with them"

# --- without the results of before: the slot itself knows
rm mixed.result.csv
batch mixed >/dev/null
expect_outcomes mixed "enrolled 8" 9
sed 's/mixed number 5/another/' mixed.csv >other.csv
expect_failure any batch other
[[ $output == *'mixed-5: the slot has an enrolled key of this label already'* ]] || fail "$output"
expect_outcomes other "enrolled 7 failed 1" 9
echo "ok a key that is enrolled already is not asked for again"

# --- told to end: what is under way ends, and nothing else begins
knob '{"delay-ms": 300}'
asked=$(counted asked)
table ended 12
tessera slot batch seals ended.csv --template sealer --at-once 2 >said 2>&1 &
pid=$!
is_begun() {
    [ "$(($(counted asked) - asked))" -ge 2 ]
}
wait_for 60 is_begun
kill -TERM "$pid"
! wait "$pid" || fail "a batch that was ended says that it is done"
grep -q 'the same command goes on from here' said || fail "$(cat said)"
[ "$(outcomes ended)" = "enrolled $(($(counted asked) - asked))" ] || fail "$(cat ended.result.csv)"
batch ended >/dev/null
expect_outcomes ended "enrolled 12" 12
expect_whole ended 12 20
echo "ok a batch that is told to end goes on where it was"

# --- two at a time want more jobs than there may be
knob '{"delay-ms": 1500}'
table many 40
table more 40
batch many --at-once 48 >said 2>&1 &
pid=$!
batch more --at-once 48 >said.more 2>&1 || fail "$(cat said.more)"
wait "$pid" || fail "$(cat said)"
[ "$(outcomes many), $(outcomes more)" = "enrolled 40, enrolled 40" ] || fail "$(cat many.result.csv more.result.csv)"
expect_whole many 1 100
echo "ok two batches share what tesserad can do at a time"

# --- the daemon is killed with requests at the authority
knob '{"delay-ms": 1500}'
asked=$(counted asked)
table killed 12
batch killed --at-once 6 >said 2>&1 &
pid=$!
is_under_way() {
    [ "$(counted asking)" -ge 4 ]
}
wait_for 60 is_under_way
kill_daemon
! wait "$pid" || fail "a batch whose daemon is killed says that it is done"
start_daemon
no_knobs
is_done() {
    batch killed >said 2>&1 && [ "$(outcomes killed)" = "enrolled 12" ] || {
        collect
        return 1
    }
}
wait_for 100 is_done
expect_outcomes killed "enrolled 12" 12
expect_whole killed 12 112
[ "$(tessera --json card list | jq '[.[] | select(.card_type == "hsm-key" and .state == "active")] | length')" = 112 ] ||
    fail "not all keys are active"
echo "ok a daemon that is killed meanwhile loses no certificate, and gets none twice"
