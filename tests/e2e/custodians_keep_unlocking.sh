#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the master key opens to the newest keys of owners' and custodians' cards, and to no others, whatever happens to cards and tokens
# sandbox: --cards blank,blank,blank,blank --no-owner
# time limit: 400
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
echo 271828 >owner-pin
echo 314159 >other-pin
owner=yubikey-10000001 custodian=yubikey-10000002 successor=yubikey-10000003

as() { # READER CMD...
    local pin=other-pin
    [ "$1" != 1 ] || pin="owner-pin"
    tessera login --reader "$1" --pin-file "$pin" -- "${@:2}"
}
status_is() {
    [ "$(tessera --json status | jq -r ".$1")" = "$2" ]
}
card_is() {
    [ "$(tessera --json reader show "$1" | jq -r .state)" = "$2" ]
}
# unlocks READER WHAT: after a start its card unlocks.
unlocks() {
    restart_daemon
    wait_for 20 card_is "$1" active
    status_is locked true || fail "$2: not locked after a start"
    as "$1" true >login.log 2>&1 || fail "$2: $(cat login.log)"
    status_is locked false || fail "$2: the card does not unlock"
}
# locked_out READER WHAT: its card can log in, but not unlock.
locked_out() {
    restart_daemon
    wait_for 20 card_is "$1" active
    as "$1" true >login.log 2>&1 || fail "$2: $(cat login.log)"
    status_is locked true || fail "$2: the card unlocks"
    as 1 true >login.log 2>&1
}
sealed() { # SERIAL: the length of what is sealed to it; nothing when it is no operator's
    sqlite3 "$TESSERA_STATE/tessera.db" "SELECT length(sealed) FROM operator JOIN credential
        ON credential.id = operator.credential_id WHERE serial = '$1'"
}
activate() {
    as 1 tessera card activate "$1" --new-pin-file other-pin >/dev/null 2>&1
}

settled() {
    [ "$(sqlite3 "$TESSERA_STATE/tessera.db" "SELECT count(*) FROM intent")" = 0 ]
}

# An owner, and a custodian.
stop_daemon
sed -i '/^token-pin-file/d' "$TESSERA_CONFIG"
rm -rf "${TESSERA_STATE:?}"/*
start_daemon
wait_for 20 card_is 1 unregistered
tessera init --reader 1 --new-pin-file owner-pin --name 'Grace Hopper' >/dev/null
as 1 tessera card issue --reader 2 --template operator --roles system-administrator --custodian >/dev/null 2>&1
activate reader:2
unlocks 2 "a custodian"

# Reissued: the new keys unlock, and there is one sealed copy.
as 1 tessera card reissue "$custodian" >issue.log 2>&1 || fail "$(cat issue.log)"
activate reader:2
unlocks 2 "a custodian's reissued card"

# Cut off in the middle, and issued once more.
for apdu in 6 12 16 20; do
    as 1 true >/dev/null 2>&1
    card_control 1 reset-count >/dev/null
    card_control 1 "hold-at $apdu" >/dev/null
    as 1 tessera card reissue "$custodian" >issue.log 2>&1 &
    issuing=$!
    card_is_held() {
        [ "$(card_control 1 held)" = 1 ] || ! kill -0 "$issuing" 2>/dev/null
    }
    wait_for 30 card_is_held
    [ "$(card_control 1 held)" = 1 ] || fail "the reissue was not cut off at APDU $apdu: $(cat issue.log)"
    kill_daemon
    card_control 1 "hold-at 0" >/dev/null
    wait "$issuing" || true
    start_daemon
    wait_for 20 card_is 1 active
    as 1 true >/dev/null 2>&1
    wait_for 20 settled
    again=(reissue "$custodian")
    ! card_is 2 registered ||
        again=(issue --reader 2 --template operator --roles system-administrator --custodian)
    as 1 tessera card "${again[@]}" >issue.log 2>&1 || fail "after APDU $apdu: $(cat issue.log)"
    activate reader:2
    unlocks 2 "a card whose reissue was cut off at APDU $apdu"
done

# A template without a key-management key is not for a custodian; the card is left as it was.
jq '.name = "no-seal" | .keys |= map(select(.slot != "key-management"))' \
    "$TESSERA_SOURCE/data/templates/operator.json" >no-seal.json
as 1 tessera template add no-seal.json >/dev/null 2>&1
expect_failure any as 1 tessera card reissue "$custodian" --template no-seal
[[ $output == *"unlocks the master key"* ]] || fail "a template without the key: $output"
unlocks 2 "after a refused reissue"

# Lost, and replaced: the successor unlocks, the lost card is nobody's.
as 1 tessera card report "$custodian" --as lost >/dev/null 2>&1
as 1 tessera card replace "$custodian" --reader 3 >issue.log 2>&1 || fail "$(cat issue.log)"
activate reader:3
[ -z "$(sealed "$custodian")" ] || fail "the lost card is still an operator's"
unlocks 3 "a custodian's successor"
expect_failure any as 2 true

# No custodian any more: what was sealed is gone.
as 1 tessera operator set "$successor" --roles system-administrator >/dev/null 2>&1
[ "$(sealed "$successor")" = 0 ] || fail "the PIN is still sealed to who is no custodian"
locked_out 3 "no custodian any more"
as 1 tessera operator set "$successor" --roles system-administrator --custodian >/dev/null 2>&1
unlocks 3 "a custodian again"

# An administrator has no power over an owner's card.
for command in "reissue $owner" "replace $owner --reader 4" "activate $owner --new-pin-file other-pin"; do
    # shellcheck disable=SC2086
    expect_failure any as 3 tessera card $command
    [[ $output == *"manage-owners"* || $output == *"system owners"* || $output == *"not let one"* ]] ||
        fail "an administrator: $command: $output"
done
expect_failure any as 3 tessera operator add-owner --reader 4 --new-pin-file other-pin

# A second owner; the first one's card is lost, and another takes its place.
as 1 tessera operator add-owner --reader 4 --new-pin-file other-pin --name 'Barbara Liskov' >/dev/null 2>&1
unlocks 4 "the second owner"
as 4 tessera card report "$owner" --as lost >/dev/null 2>&1 || fail "a lost owner's card cannot be reported"
expect_failure any as 1 true
as 4 tessera card retire "$custodian" --yes >retire.log 2>&1 || fail "the old card: $(cat retire.log)"
as 4 tessera operator add-owner --reader 2 --new-pin-file other-pin --name 'Ada Lovelace' >add.log 2>&1 ||
    fail "a new owner in place of the lost one: $(cat add.log)"
as 4 tessera card revoke "$owner" --yes >revoke.log 2>&1 || fail "the lost card: $(cat revoke.log)"
as 4 tessera operator remove "$owner" >remove.log 2>&1 || fail "the lost owner: $(cat remove.log)"
[ -z "$(sealed "$owner")" ] || fail "the lost card is still an owner's"
# It is found, and blank again.
as 4 tessera card retire "$owner" --yes >retire.log 2>&1 || fail "the found card: $(cat retire.log)"
unlocks 2 "the new owner"
# The owners reissue each other's cards.
as 4 tessera card reissue reader:2 >issue.log 2>&1 || fail "$(cat issue.log)"
as 4 tessera card activate reader:2 --new-pin-file other-pin >/dev/null 2>&1
unlocks 2 "an owner's reissued card"
unlocks 4 "the other owner's card"

# Two tokens: the PIN of the one without a file is sealed; when that one goes, the other's is.
(umask 077 && printf '87654321' >hsm-pin)
export SOFTHSM2_CONF=$TESSERA_STATE/token/softhsm2.conf
softhsm2-util --init-token --free --label hsm --so-pin 12345678 --pin 87654321 >/dev/null
cp "$TESSERA_CONFIG" before.conf
uri="pkcs11:token=hsm?module-path=/usr/lib/softhsm/libsofthsm2.so"
daemon_option "token-uri = $uri&pin-source=file:$PWD/hsm-pin"
daemon_option "token-uri-old = embedded"
unlocks 2 "with two tokens"
as 2 tessera key rotate --yes >/dev/null 2>&1
expect_failure any as 2 tessera key backup hsm.json
[[ $output == *"maker's means"* ]] || fail "a backup of an HSM: $output"
status_is master_key_backup hsm || fail "an HSM: $(tessera status)"
for reader in 2 3 4; do
    as 2 tessera card rotate "reader:$reader" >rotate.log 2>&1 || as 4 tessera card rotate "reader:$reader" >rotate.log 2>&1 ||
        fail "reader $reader: $(cat rotate.log)"
done
as 2 tessera card reissue reader:3 >issue.log 2>&1 || fail "with two tokens: $(cat issue.log)"
as 2 tessera card activate reader:3 --new-pin-file other-pin >/dev/null 2>&1
unlocks 3 "a card that was reissued with two tokens"

# The older token goes: what is sealed is the other one's PIN from then on.
stop_daemon
cp before.conf "$TESSERA_CONFIG"
daemon_option "token-uri = $uri&pin-source=file:$PWD/hsm-pin"
start_daemon
status_is locked false || fail "a token with a file is locked"
stop_daemon
cp before.conf "$TESSERA_CONFIG"
daemon_option "token-uri = $uri"
start_daemon
unlocks 2 "an owner, with the other token alone"
unlocks 3 "a custodian, with the other token alone"
