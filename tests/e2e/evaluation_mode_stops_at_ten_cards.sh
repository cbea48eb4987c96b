#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the eleventh card is refused before it is touched, the last place is given once, and managed cards keep their service whatever becomes of the licence
# sandbox: --cards blank,blank,blank,blank,blank,blank,blank,blank,blank,blank,blank,blank
# time limit: 300
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
printf '271828\n' >pin
printf '314159\n' >other
cat >one.json <<'END'
{"name": "one", "card-type": "piv", "keys": [{"slot": "authentication", "algorithm": "ec-p256",
 "certificate": {"authority": "local", "profile": "card-authentication", "subject": [["CN", "{name}"]]}}]}
END

cards_are_read() {
    [ "$(tessera --json reader list | jq '[.[] | select(.state != null and .state != "")] | length')" = 12 ]
}
wait_for 60 cards_are_read

issue() {
    tessera card issue --reader "$1" --template one --holder "name=Holder $1"
}

serial_in() {
    tessera --json reader show "$1" | jq -r .serial
}

used() {
    tessera --json licence show | jq .used
}

# All APDUs that all cards have seen.
apdus() {
    local n total=0
    for n in {0..11}; do
        total=$((total + $(apdu_count "$n")))
    done
    echo "$total"
}

install_licence() {
    "$TESSERA_SOURCE/tools/licence" make --key licence.key --customer Example --credentials "$1" \
        --not-after "$2" --store-id "$(tessera --json status | jq -r .store_id)" --output licence.json
    tessera licence activate licence.json >/dev/null
}

tessera template add one.json >/dev/null
for reader in {1..9}; do
    issue "$reader" >/dev/null
done
[ "$(used)" = 9 ] || fail "9 cards are issued, but $(used) are counted"

# Two at once for the last place.
issue 10 >first 2>&1 &
one=$!
issue 11 >second 2>&1 &
two=$!
done_one=0 done_two=0
wait "$one" || done_one=$?
wait "$two" || done_two=$?
case $done_one$done_two in
    07) issued=10 refused=11 ;;
    70) issued=11 refused=10 ;;
    *) fail "two issues for the last place end with $done_one and $done_two: $(cat first second)" ;;
esac
[ "$(used)" = 10 ] || fail "$(used) cards are counted"
expect_output issued tessera reader show "$issued"
expect_output unregistered tessera reader show "$refused"

# The eleventh card is not touched at all.
before=$(apdus)
expect_failure 7 issue 12
[[ $output == *"evaluation mode is for 10 cards"* ]] || fail "$output"
[ "$(tessera --json card issue --reader 12 --template one --holder name=x 2>/dev/null | jq -r .error.name)" \
    = LimitReached ] || fail "the error is not LimitReached"
[ "$(apdus)" = "$before" ] || fail "the refused card was sent APDUs"
expect_output LimitReached tessera --json audit list

# Ten managed cards keep their whole service.
card=$(serial_in 1)
tessera card activate "$card" --new-pin-file pin >/dev/null
tessera card unblock "$card" --new-pin-file other >/dev/null
tessera card reissue "$card" >/dev/null
tessera card activate "$card" --new-pin-file pin >/dev/null
tessera card change-pin "$card" --pin-file pin --new-pin-file other >/dev/null
tessera card suspend "$card" >/dev/null
tessera card resume "$card" >/dev/null
[ "$(used)" = 10 ] || fail "$(used) cards are counted after a reissue"

# A revoked card still counts, a retired one does not, and its place is free for it or another.
tessera card revoke "$card" --yes >/dev/null
expect_failure 7 issue 12
tessera card retire "$card" --yes >/dev/null
[ "$(used)" = 9 ] || fail "$(used) cards are counted after retiring one of 10"
issue 12 >/dev/null
expect_failure 7 issue 1

# A licence for 11: one more. After a restart, too.
"$TESSERA_SOURCE/tools/licence" key licence.key licence.pub
daemon_option "licence-public-key-file = $PWD/licence.pub"
restart_daemon
wait_for 60 cards_are_read
install_licence 11 2099-12-31
issue 1 >/dev/null
expect_failure 7 issue "$refused"
[[ $output == *"is for 11 cards"* ]] || fail "$output"

# A licence that is smaller than what is there, one that is over, and one that cannot be verified:
# no new cards, all else goes on.
everything_but_new() {
    expect_failure 7 issue "$refused"
    [[ $output == *"$1"* ]] || fail "'$1' is not in: $output"
    tessera card reissue "$(serial_in 2)" >/dev/null
    tessera card activate "$(serial_in 2)" --new-pin-file pin >/dev/null
    tessera card unblock "$(serial_in 2)" --new-pin-file other >/dev/null
}
install_licence 5 2099-12-31
everything_but_new "is for 5 cards"
install_licence 20 "$(date -u -d '+5 seconds' +%Y-%m-%dT%H:%M:%SZ)"
licence_expired() {
    [ "$(tessera --json licence show | jq -r .state)" = expired ]
}
wait_for 20 licence_expired
everything_but_new "has expired"
[ "$(tessera --json licence show | jq -r .mode)" = production ] || fail "the mode is lost with the time"
mv licence.pub licence.pub.away
[ "$(tessera --json licence show | jq -r .state)" = rejected ] || fail "a licence without key is taken"
everything_but_new "licence.pub"
mv licence.pub.away licence.pub

# Retiring the rest is possible without a licence as well.
tessera licence remove --yes >/dev/null
for reader in 2 3; do
    tessera card retire "$(serial_in "$reader")" --yes >/dev/null
done
[ "$(used)" = 9 ] || fail "$(used) cards are counted at the end"
expect_output whole tessera audit verify
