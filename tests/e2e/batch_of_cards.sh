#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# a table of people becomes cards, one row each, and goes on after every interruption
# time limit: 400
# sandbox: --cards blank,blank,nist
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
page=batch.md
first=yubikey-10000001

# cell FILE ROW COLUMN: of a result table, as Python's csv module reads it
cell() {
    python3 - "$@" <<'END'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")))
found = [row for row in rows if row["row"] == sys.argv[2]]
print(found[0][sys.argv[3]] if len(found) == 1 else f"{len(found)} rows")
END
}
cell_is() {
    [ "$(cell "$1" "$2" "$3" 2>/dev/null)" = "$4" ]
}
expect_cell() {
    cell_is "$@" || fail "row $2 of $1: $3 is '$(cell "$1" "$2" "$3")', not '$4'"
}
# Starts `tessera card batch ARGUMENT...` in the background.
begin() {
    tessera card batch "$@" >out 2>err &
    batch=$!
}
interrupt() {
    kill -INT "$batch"
    if wait "$batch"; then
        fail "an interrupted batch says that all is done"
    fi
}
# The card in reader 1 makes room for the next one: it is the same one again, blank.
next_card() {
    tessera card retire "$first" --yes >/dev/null
}
asks_for() {
    grep -q "$1" err
}

guide_run "$page" "The table"
[ -s people.csv ] || fail "the guide makes no table"
printf '"Turing, Alan",alan@example.org,alan@example.org\r\n' >>people.csv
printf 'Nobody,,\n' >>people.csv
printf '"O""Hara, Kim",kim@example.org,kim@example.org\n' >>people.csv

echo "# a card after the other; a wrong row fails alone"
begin people.csv --template ec --reader 1
wait_for 60 cell_is people.result.csv 1 outcome issued
expect_cell people.result.csv 1 name "Lovelace, Ada"
expect_cell people.result.csv 1 serial "$first"
wait_for 60 asks_for 'row 2 of 5: insert a blank card in reader 1'
next_card
wait_for 60 cell_is people.result.csv 2 outcome issued

echo "# Ctrl-C, a kill, and a loss of the last answer: the same command goes on"
interrupt
grep -q "goes on from here" err || fail "the batch does not say how to go on: $(cat err)"
next_card
begin people.csv --template ec --reader 1
wait_for 60 cell_is people.result.csv 3 outcome issued
kill -9 "$batch"
wait "$batch" 2>/dev/null || true
[ "$(tessera --json audit list --operation issue | jq '[.[] | select(.outcome == "ok" and .card == "'$first'")] | length')" = 3 ] ||
    fail "a row was issued twice"
# As if it had been killed before the answer came: the card of row 3 is looked at.
sed -i "s/^3,issued,$first,[0-9]*/3,started,$first,/" people.result.csv
expect_cell people.result.csv 3 outcome started
begin people.csv --template ec --reader 1
wait_for 60 cell_is people.result.csv 3 outcome issued
[ "$(tessera --json audit list --operation issue | jq '[.[] | select(.outcome == "ok" and .card == "'$first'")] | length')" = 3 ] ||
    fail "row 3 was issued again"
wait_for 60 asks_for 'row 4 of 5'
next_card
wait_for 60 cell_is people.result.csv 5 outcome issued
if wait "$batch"; then
    fail "a batch with a failed row succeeds"
fi
expect_cell people.result.csv 4 outcome failed
[[ $(cell people.result.csv 4 message) == *upn* || $(cell people.result.csv 4 message) == *email* ]] ||
    fail "row 4 does not say what is missing: $(cell people.result.csv 4 message)"
grep -q '4 of 5 rows are issued' out || fail "the summary is: $(cat out)"
[ "$(wc -l <people.result.csv)" = 6 ] || fail "there is not one row for each row"
[ "$(tessera --json card show "$first" | jq -r .holder.name)" = 'O"Hara, Kim' ] || fail "quotes were lost"

echo "# a row that is put right is done by the next run; done ones must not change"
sed -i 's/^Nobody,,/Somebody,some@example.org,some@example.org/' people.csv
next_card
tessera --json card batch people.csv --template ec --reader 1 >summary 2>err
jq -e '.rows == 5 and .done == 5 and .failed == 0 and .results == "people.result.csv"' summary >/dev/null
expect_cell people.result.csv 4 name Somebody
guide_run "$page" "What has become of them" >/dev/null
sed -i 's/^Grace Hopper/Grace Murray/' people.csv
expect_failure any tessera card batch people.csv --template ec --reader 1
[[ $output == *"row 2 is not the one"* ]] || fail "a changed row is told so: $output"

echo "# a card that cannot be used is no row's fault"
printf 'name,email,upn\nEdsger,e@example.org,e@example.org\n' >one.csv
begin one.csv --template ec --reader 3
wait_for 60 asks_for 'another card is needed'
cell_is one.result.csv 1 outcome started || fail "the row has an outcome: $(cat one.result.csv)"
interrupt

echo "# a card that another operation still has is waited for"
second=$(tessera --json reader show 2 | jq -r .serial)
is_held() {
    [ "$(card_control 1 held)" = 1 ]
}
card_control 1 reset-count >/dev/null
card_control 1 "hold-at 1" >/dev/null
tessera card register --reader 2 >register.log 2>&1 &
register=$!
wait_for 60 is_held
printf 'name,email,upn\nBusy,b@example.org,b@example.org\n' >busy.csv
begin busy.csv --template ec --reader 2
wait_for 60 asks_for 'row 1 of 1: waiting: another operation is under way'
card_control 1 "hold-at 0" >/dev/null
wait "$register" || fail "the other operation was disturbed: $(cat register.log)"
wait "$batch" || fail "the batch did not go on: $(cat err)"
expect_cell busy.result.csv 1 outcome issued
[ "$(grep -c waiting: err)" = 1 ] || fail "it is told again and again: $(cat err)"
! grep -q 'another card' err || fail "a busy card was refused: $(cat err)"
tessera card retire "$second" --yes >/dev/null

echo "# what concerns all cards ends it"
expect_failure any tessera card batch one.csv --template no-such-template --reader 2
expect_failure any env -u TESSERA_SESSION tessera card batch one.csv --template ec --reader 2
printf 'name\n"open' >broken.csv
expect_failure any tessera card batch broken.csv --template ec --reader 2
[[ $output == *"broken.csv: line 2: a quote is not closed"* ]] || fail "a broken file: $output"
expect_failure any tessera card batch one.csv --reader 2
expect_failure any tessera card batch one.csv --template ec --register --reader 2
printf 'name;email\nAda;a@x\n' >semicolons.csv
expect_failure any tessera card batch semicolons.csv --template ec --reader 2
[[ $output == *"not by semicolons"* ]] || fail "semicolons: $output"

echo "# register only, by serial"
printf 'serial\r\n%s\r\n' "$second" >cards.csv
next_card
begin cards.csv --register --reader 1
wait_for 60 asks_for "insert the card $second in reader 1"
interrupt
tessera card batch cards.csv --register --reader 2 >/dev/null
[ "$(tessera --json card show "$second" | jq -r .state)" = registered ] || fail "the card is not registered"
expect_cell cards.result.csv 1 outcome registered

echo "# temporary cards"
printf 'name,email,upn\nTemp,t@example.org,t@example.org\n' >temps.csv
tessera card batch temps.csv --template ec --reader 2 --expires 2036-01-31T12:00Z >/dev/null
[ "$(tessera --json card show "$second" | jq -r .expires_at)" = "$(date -d 2036-01-31T12:00Z +%s)" ] ||
    fail "the card has no end date"
