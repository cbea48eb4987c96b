#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# the restore drill: a backup of the master key, for any card or for two of three, brings it back on another machine
# sandbox: --cards blank,blank,blank,blank --no-owner
# time limit: 400
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
echo 271828 >owner-pin
echo 314159 >other-pin
echo 000000 >wrong-pin
printf '271828\n314159\n314159\n' >pins
owner=yubikey-10000001 first=yubikey-10000002 second=yubikey-10000003 managed=yubikey-10000004

# The pages of the guide ask for PINs, which are in files here.
tessera() {
    case "$1 ${2:-}" in
        "login --") command tessera login --reader 1 --pin-file owner-pin "${@:2}" ;;
        "key restore") command tessera "$@" --pin-fd 3 3<pins ;;
        *) command tessera "$@" ;;
    esac
}
as_owner() {
    tessera login --reader 1 --pin-file owner-pin -- "$@"
}
status_is() {
    [ "$(tessera --json status | jq -r ".$1")" = "$2" ]
}
card_is() {
    [ "$(tessera --json reader show "$1" | jq -r .state)" = "$2" ]
}
# cards_in N...: the cards that are in their readers, of those with the numbers 0 to 3.
cards_in() {
    local n
    for n in 0 1 2 3; do
        if [[ " $* " == *" $n "* ]]; then
            [ -n "$(reader_serial $((n + 1)))" ] || card_insert "$n"
        else
            [ -z "$(reader_serial $((n + 1)))" ] || card_remove "$n"
        fi
    done
}
reader_serial() {
    tessera --json reader show "$1" | jq -r .serial
}
# machine NAME: another machine: the daemon with a state folder of its own.
machine() {
    stop_daemon
    mkdir -p "$1" && chmod 0700 "$1"
    sed -i "s|^state-dir = .*|state-dir = $PWD/$1|" "$TESSERA_CONFIG"
    start_daemon
    for n in 1 2 3 4; do
        wait_for 20 sh -c "tessera --json reader show $n | jq -e '.state != \"\" or .card_present == false'"
    done
}
restore() {
    tessera key restore "$1"
}
has_token() {
    [ -n "$(ls "$1/token/tokens" 2>/dev/null)" ]
}
nothing_is_left() {
    ! has_token "$1" || fail "$2 leaves a token"
    [ ! -e "$1/token.restore" ] || fail "$2 leaves half a token"
}

# The first machine: an owner, two operators, of whom one is a custodian, and a managed card.
sed -i '/^token-pin-file/d' "$TESSERA_CONFIG"
machine one
tessera init --reader 1 --new-pin-file owner-pin --name 'Grace Hopper' >/dev/null
status_is master_key_backup missing || fail "no backup, and nothing is said: $(tessera status)"
expect_output "no backup" tessera status
as_owner bash -c '
    set -e
    tessera card issue --reader 2 --template operator --roles normal --custodian
    tessera card activate reader:2 --new-pin-file other-pin
    tessera card issue --reader 3 --template operator --roles normal
    tessera card activate reader:3 --new-pin-file other-pin
    tessera card issue --reader 4 --template ec --holder name=Ada --holder email=ada@example.org --holder upn=ada@example.org
    tessera card activate reader:4 --new-pin-file other-pin' >issued.log 2>&1 || fail "$(cat issued.log)"

# Backups are for who may make them, and of operators' cards.
expect_failure 4 tessera key backup any.json
tessera login --reader 2 --pin-file other-pin -- sh -c '! tessera key backup any.json' >out 2>&1 ||
    fail "an operator without the right made a backup: $(cat out)"
[ ! -e any.json ] || fail "a refused backup leaves a file"
expect_failure any as_owner tessera key backup any.json --cards "$managed"
[[ $output == *"neither the card of an operator"* ]] || fail "a managed card: $output"
expect_failure any as_owner tessera key backup any.json --shares 4
expect_output "$first" as_owner tessera key backup any.json
[[ $output != *"$second"* ]] || fail "the card of an operator who is no custodian opens it: $output"
[ "$(stat -c %a any.json)" = 600 ] || fail "others may read the backup"
status_is master_key_backup good || fail "a backup, and it is not noted: $(tessera status)"
expect_failure any as_owner tessera key backup any.json
expect_output "Cards needed" as_owner tessera key backup any.json --force
expect_output "OPENS IT" eval "$(guide_lines backup.md "The master key alone")"
as_owner tessera --json key check shares.json >looked
jq -e '.needed == 2 and .newest and .version == 1 and (.cards | length == 3) and all(.cards[]; .opens)' looked >/dev/null ||
    fail "the backup says: $(cat looked)"
expect_output back-up-master-key as_owner tessera audit list

# Nothing secret is to be seen in it: what SoftHSM2 writes, or the keys' labels.
! grep -q 'tessera master key 1' shares.json || fail "the backup is in the clear"

# A new version has no backup.
as_owner tessera key rotate --yes >/dev/null
status_is master_key_backup missing || fail "the new version is said to have a backup"
as_owner tessera --json key check shares.json | jq -e '.newest | not' >/dev/null || fail "an old backup is said to be new"
as_owner tessera key backup any.json --force >/dev/null
as_owner tessera key backup shares.json --shares 2 --cards "$owner,$first,$second" --force >/dev/null
expect_failure 4 setpriv --reuid ada --regid ada --clear-groups tessera key restore - --pin-file owner-pin <any.json
expect_failure any restore any.json
[[ $output == *"nothing to restore"* ]] || fail "over an open token: $output"
restart_daemon
expect_failure any restore any.json
[[ $output == *"nothing is written over it"* ]] || fail "over a locked token: $output"

# The database alone is saved, the token is lost: on the second machine the cards bring it back.
stop_daemon
mkdir -m 0700 two && sqlite3 one/tessera.db ".backup two/tessera.db"
mkdir -m 0700 kept && cp -a two/tessera.db kept
machine two
expect_failure any as_owner true
[[ $output == *"no token"* ]] || fail "a lost token: $output"

# Too few cards, a wrong PIN, a card that opens nothing, the same one twice, a damaged file.
cards_in 0 3
expect_failure any restore shares.json
[[ $output == *"1 of 2 cards"* ]] || fail "with one of two shares: $output"
nothing_is_left two "one share"
cards_in 3
expect_failure any restore shares.json
[[ $output == *"0 of 2 cards"* ]] || fail "with a card that opens nothing: $output"
cards_in 0 1 2 3
expect_failure any command tessera key restore any.json --pin-file wrong-pin
[[ $output == *PIN* ]] || fail "with a wrong PIN: $output"
jq '.data |= (.[0:200] + (if .[200:201] == "A" then "B" else "A" end) + .[201:])' shares.json >damaged.json
expect_failure any restore damaged.json
[[ $output == *damaged* ]] || fail "a damaged file: $output"
jq '.cards[1].sealed = .cards[0].sealed' shares.json >mixed.json
expect_failure any restore mixed.json
[[ $output == *"$first does not open its share"* ]] || fail "a mixed file: $output"
jq '.["master-keys"][0]["key-check-value"] = "000000"' shares.json >lies.json
expect_failure any restore lies.json
[[ $output == *"another one than this store's"* ]] || fail "other check values: $output"
echo '{"format": "tessera master key backup"}' >short.json
expect_failure any restore short.json
nothing_is_left two "a failure"
busctl_restore() {
    DBUS_SYSTEM_BUS_ADDRESS=unix:path=$TESSERA_SOCKET busctl call org.tessera1 /org/tessera1 org.tessera1.Manager "$@"
}
expect_failure any busctl_restore OpenMasterKeyShare os /org/tessera1/reader/1 271828
[[ $output == *"no restoration has begun"* ]] || fail "without a beginning: $output"
expect_failure any busctl_restore FinishMasterKeyRestore

# Out of space: nothing is left, and with room it goes on.
stop_daemon
mkdir -m 0700 small && mount -t tmpfs -o mode=0700,size=1m tmpfs small && cp -a kept/tessera.db small
machine small
dd if=/dev/zero of=small/filler bs=4k count=1000 2>/dev/null || true
expect_failure any restore any.json
[[ $output == *space* ]] || fail "a full disk: $output"
nothing_is_left small "a full disk"
rm small/filler
restore any.json >restore.log 2>&1 || fail "with room again: $(cat restore.log)"
as_owner true >login.log 2>&1 || fail "with room again: $(cat login.log)"
machine two
umount small

# Two of three, and all is as before: logins, unlocking, the managed card.
cards_in 0 2 3
printf '271828\n314159\n' >pins
expect_output "restored and is unlocked" eval "$(guide_lines backup.md "Restore the master key")"
cards_in 0 1 2 3
status_is locked false || fail "not unlocked"
status_is master_key_backup good || fail "the restored backup is none: $(tessera status)"
restart_daemon
status_is locked true || fail "not locked after a start"
wait_for 20 card_is 4 active
tessera login --reader 2 --pin-file other-pin -- true 2>login.log || fail "the custodian: $(cat login.log)"
status_is locked false || fail "the custodian's card does not unlock"
as_owner tessera card unblock "$managed" --new-pin-file other-pin >/dev/null
as_owner tessera audit verify >/dev/null
expect_output finish-master-key-restore as_owner tessera audit list
expect_output yubikey as_owner tessera key list

# Killed at any moment, there is the whole token or none.
delay_ms=0
while :; do
    rm -rf three && cp -a kept three
    machine three
    restore any.json >restore.log 2>&1 &
    restoring=$!
    sleep "$((delay_ms / 1000)).$(printf %03d $((delay_ms % 1000)))"
    if ! kill -0 "$restoring" 2>/dev/null; then
        wait "$restoring" || fail "undisturbed: $(cat restore.log)"
        break
    fi
    kill_daemon
    wait "$restoring" || true
    start_daemon
    [ ! -e three/token.restore ] || fail "half a token is left after $delay_ms ms"
    wait_for 20 card_is 1 active
    has_token three || restore any.json >restore.log 2>&1 || fail "after $delay_ms ms: $(cat restore.log)"
    as_owner true >login.log 2>&1 || fail "after $delay_ms ms: $(cat login.log)"
    delay_ms=$((delay_ms * 3 / 2 + 5))
done

# The key alone, on a fresh store: old cards are ours.
printf '271828\n314159\n314159\n' >pins
machine four
expect_output "go on with tessera init" restore any.json
# Not initialised in time: nobody knows the token's PIN any more.
restart_daemon
wait_for 20 card_is 4 unregistered
expect_failure any tessera init --reader 1 --new-pin-file owner-pin --name 'Grace Hopper'
[[ $output == *"restore it once more"* ]] || fail "a restored token that nobody can open: $output"
restore any.json >/dev/null
tessera init --reader 1 --new-pin-file owner-pin --name 'Grace Hopper' >/dev/null
as_owner bash -c '
    set -e
    tessera key list
    tessera card register --reader 4
    tessera card issue --reader 4 --template ec --holder name=Ada --holder email=ada@example.org --holder upn=ada@example.org
    tessera card activate reader:4 --new-pin-file other-pin' >issued.log 2>&1 || fail "$(cat issued.log)"
expect_output "$managed" as_owner tessera card list
# Its other keys open no old backup.
status_is master_key_backup weakened || fail "the owner's card has other keys: $(tessera status)"
expect_output "other keys now" tessera status
restart_daemon
wait_for 20 card_is 1 active
as_owner true >login.log 2>&1 || fail "the new owner: $(cat login.log)"

# A machine that runs unattended: the token gets the PIN of its file; cards are sealed to anew.
(umask 077 && printf '8765432187654321' >token-pin)
cp "$TESSERA_CONFIG" attended.conf
daemon_option "token-pin-file = $PWD/token-pin"
machine five
! has_token five || fail "a token was made before there is an owner"
restore any.json >restore.log 2>&1 || fail "unattended: $(cat restore.log)"
restart_daemon
status_is locked false || fail "an unattended machine is locked"
wait_for 20 card_is 4 unregistered
mkdir -m 0700 six && cp -a kept/tessera.db six
machine six
status_is locked true || fail "without a token, and not locked"
restore any.json >restore.log 2>&1 || fail "unattended, with the database: $(cat restore.log)"
restart_daemon
status_is locked false || fail "an unattended machine is locked"
stop_daemon
sed "s|^state-dir = .*|state-dir = $PWD/six|" attended.conf >"$TESSERA_CONFIG"
start_daemon
wait_for 20 card_is 2 active
status_is locked true || fail "an attended machine is not locked"
tessera login --reader 2 --pin-file other-pin -- true >login.log 2>&1 || fail "the custodian: $(cat login.log)"
status_is locked false || fail "the custodian's card does not unlock after the token got another PIN"
