#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# who changes, forges, repeats or hides what passes between server and card is found out, and no card is lost by it
# sandbox: --no-owner --cards scp11,scp11,blank,scp11
# time limit: 180
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
cd "$TESSERA_SANDBOX/tmp"
# shellcheck source=tests/lib/interrupted.sh
source "$TESSERA_SOURCE/tests/lib/interrupted.sh"
# shellcheck source=tests/lib/agent.sh
source "$TESSERA_SOURCE/tests/lib/agent.sh"
trust="scp11-ca = $TESSERA_SANDBOX/etc/scp11-root.pem"

# --- whom to believe has to be said so that it can be understood
refuses_to_start() {
    local text=$1 line
    shift
    cp "$TESSERA_CONFIG" config
    for line in "$@"; do
        daemon_option "$line"
    done
    : >"$TESSERA_SANDBOX/log/tesserad"
    start_daemon_unready
    wait_for 20 part_has_ended tesserad
    [ "$(part_status tesserad)" != 0 ] || fail "tesserad takes: $*"
    grep -qF -- "$text" "$TESSERA_SANDBOX/log/tesserad" ||
        fail "no word of '$text' but: $(cat "$TESSERA_SANDBOX/log/tesserad")"
    cp config "$TESSERA_CONFIG"
}
stop_daemon
: >no-certificates
refuses_to_start "remote-encryption = required needs scp11-ca" "remote-encryption = required"
refuses_to_start "scp11-ca: $PWD/no-certificates holds no certificate" "scp11-ca = $PWD/no-certificates"
refuses_to_start "scp11-ca: cannot open $PWD/nowhere" "scp11-ca = $PWD/nowhere"

# --- card 1 is seen once in a reader of the server
is_seen_here() {
    tessera_plain reader list | grep -q yubikey-10000002
}
card_remove 0
card_remove 3
daemon_option "$trust"
start_daemon
wait_for 20 is_seen_here
start_far_server "remote-readers = everyone"
card_insert 0
card_insert 3

start_between
start_agent agent --allow "CCID 00 00" --allow "CCID 1 00 01"
make_far_owner
add_template
wait_for 20 remote_card_is_read 0
[ "$(remote_reader 0)" = 1 ] || fail "the card is not in reader 1"

problem_of() {
    tessera_plain --json reader show "$(remote_reader "$1")" | jq -r .problem
}
has_problem() {
    [[ $(problem_of "$1") == *"$2"* ]]
}
# A channel with a wrong answer is over: what comes next, if anything, begins another.
nothing_is_clear() {
    ! grep -A 1 '^<! ' "$between/apdus" | grep '^>' | grep -v '^> 00a40400' || fail "$where: it went on"
    ! grep -vE '^>!? (04|00a40400|8088)' <(grep '^>' "$between/apdus") || fail "$where: in the clear"
}

# --- single commands and answers, at what matters most; then the same again, undisturbed, with the card as it is
tampered() {
    local verb=$1
    where="$verb with $2"
    : >"$between/apdus"
    between "$2"
    expect_failure any "$verb"
    between_has_done || fail "$where: nothing was done: $output"
    [[ $output == *"${3:-changed on its way}"* ]] || fail "$where: another error: $output"
    [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "$where: more than one error: $output"
    nothing_is_clear
}
forged=flip-command,answer=9000
for order in "$forged ff" "flip-answer ff" "$forged 24" "answer=9000 24" "$forged 20" "flip-answer 47" \
    "repeat-answer 87 2" "$forged db" "repeat-answer db 3"; do
    tampered issue "$order"
    issue >/dev/null || fail "no issue after $where"
    activate >/dev/null || fail "no activation after $where"
    sign >/dev/null 2>&1 || fail "no signature after $where"
    retire >/dev/null || fail "no retirement after $where"
done
issue >/dev/null
for order in "$forged 2c" "repeat-answer 2c" "flip-answer 87 2"; do
    tampered activate "$order"
    activate >/dev/null || fail "no activation after $where"
    sign >/dev/null 2>&1 || fail "no signature after $where"
    reissue >/dev/null || fail "no new issue after $where"
done
activate >/dev/null
for order in "$forged 2c" "answer=9000 2c" "repeat-answer 2c" "flip-answer 2c"; do
    tampered unblock "$order"
    unblock >/dev/null && sign >/dev/null 2>&1 || fail "no PIN after $where"
done
# The card itself takes nothing that is changed or comes twice.
for order in "flip-command 2c" "repeat-command 2c"; do
    tampered unblock "$order" 6982
    unblock >/dev/null && sign >/dev/null 2>&1 || fail "no PIN after $where"
done
for order in "$forged 24" "flip-answer 24"; do
    tampered change_pin "$order"
    unblock >/dev/null && sign >/dev/null 2>&1 || fail "no PIN after $where"
done
for order in "$forged ff" "answer=9000 ff" "repeat-answer 24" "$forged 24"; do
    tampered rotate "$order"
    unblock >/dev/null && sign >/dev/null 2>&1 || fail "no PIN after $where"
done

# --- any answer of a verb; then the card is put in again, as one that was pulled
put_in_again() {
    card_remove 0
    card_insert 0
}
# Up to the verb's last answer, and those when the card is looked at afterwards. A refusal has nothing to change.
walk() {
    local verb=$1 answer=1 status
    while true; do
        where="$verb with answer $answer changed"
        : >"$between/apdus"
        between "flip-answer secured $answer"
        status=0
        output=$("$verb" 2>&1) || status=$?
        between_has_done || break
        if grep -q '^<! ' "$between/apdus"; then
            [ "$status" != 0 ] || has_problem 0 "changed on its way" || fail "$where: believed"
        else
            [ "$status" = 0 ] || fail "$where: $output"
        fi
        nothing_is_clear
        put_in_again
        "finish_$verb"
        answer=$((answer + step))
    done
    rm -f "$between/order"
    "finish_$verb"
    [ "$answer" -gt "$2" ] || fail "$verb took fewer answers than it can: $answer"
    echo "$verb: recovered wherever the answer was changed, up to $answer"
}
retire >/dev/null
step=6
walk issue 20
issue >/dev/null
step=2
walk activate 2
activate >/dev/null

# --- a card that could encrypt, and seems not to
refused() {
    local card=$1 text=$2
    wait_for 20 has_problem "$card" "$text"
    tessera_plain --json reader show "$(remote_reader "$card")" | jq -e '.encrypted == false' >/dev/null ||
        fail "refused and encrypted"
    # SELECT, version, certified key and opening; serial number and metadata; who it is, which is asked for at first.
    ! grep -vE '^>!? (04|00a4|00fd|00ca|8088|00f8|00f7|0087)' <(grep '^>' "$between/apdus") ||
        fail "it was told something: $(cat "$between/apdus")"
}
hidden="the card can encrypt the way to it, and does not"
# An older firmware (5.4.3); no such key in its security domain.
for order in "answer=0504039000 fd" "answer=6a88 ca"; do
    where="first contact with $order"
    : >"$between/apdus"
    between "$order all"
    put_in_again
    refused 0 "$hidden"
    expect_failure any tessera card unblock yubikey-10000001 --new-pin-file pin
    expect_failure any tessera card retire yubikey-10000001 --reason walk --yes
    refused 0 "$hidden"
    rm "$between/order"
done
# The opening refused or changed; certificates that are not what the CA signed.
while read -r order text; do
    where="first contact with $order"
    : >"$between/apdus"
    between "${order//_/ }"
    put_in_again
    refused 0 "$text"
    between_has_done || fail "$where: nothing was done"
done <<'END'
answer=6985_88 no encrypted channel: INTERNAL AUTHENTICATE
answer=9000_88 no encrypted channel: INTERNAL AUTHENTICATE
repeat-answer_88 the card does not have the key of its certificate
flip-answer_ca_2 encrypted channels
END
put_in_again
finish_unblock

# Of card 1 only the server's own reader has said that it can.
where="first contact of the card seen at the server"
stop_part agent TERM
between "answer=0504039000 fd all"
: >"$between/apdus"
start_agent agent --allow "CCID 00 01"
wait_for 20 has_problem 1 "$hidden"
refused 1 "$hidden"
rm "$between/order"
card_remove 1
card_insert 1
wait_for 20 remote_card_is_read 1
stop_part agent TERM

# --- nobody vouches for the card
openssl req -x509 -config /dev/null -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 10 -subj "/CN=Other root" \
    -addext basicConstraints=critical,CA:TRUE -keyout other.key -out other.pem 2>/dev/null
where="another CA"
stop_daemon
start_far_server "scp11-ca = $PWD/other.pem"
: >"$between/apdus"
start_agent agent --allow "CCID 00 00"
refused 0 "no CA of scp11-ca vouches"
stop_part agent TERM

# --- a reader of the server says anew what a card can: with that CA, card 1 cannot
stop_daemon
start_daemon
wait_for 20 is_seen_here
stop_daemon
start_far_server "$trust"
between "answer=0504039000 fd all"
start_agent agent --allow "CCID 00 01"
wait_for 20 remote_card_is_read 1
tessera_plain --json reader show "$(remote_reader 1)" | jq -e '.problem == "" and .encrypted == false' >/dev/null ||
    fail "what was said before still counts: $(problem_of 1)"
rm "$between/order"
stop_part agent TERM

# --- others are not let in
where="a card that cannot encrypt"
stop_daemon
start_far_server "$trust" "remote-encryption = required"
: >"$between/apdus"
start_agent agent --allow "CCID 00 00" --allow "CCID 1 00 00"
wait_for 20 state_is_one_of active
refused 2 "cannot encrypt the way to it, as is required here (remote-encryption)"
stop_part agent TERM

# --- a card in the clear that becomes another one while it is looked for
stop_daemon
start_far_server "remote-encryption = optional" "remote-ownership = yes"
card_remove 1
start_agent
wait_for 20 remote_card_is_read 2
card_insert 3
wait_for 20 remote_card_is_read 3
log_owner_in "$(remote_reader 3)" "$TESSERA_SANDBOX/kept/owner-pin"
card_remove 3
tessera card issue --reader "$(remote_reader 2)" --template walk --holder name=Grace >/dev/null
tessera card activate yubikey-10000003 --new-pin-file pin >/dev/null
unblock_grace() {
    tessera card unblock yubikey-10000003 --new-pin-file pin
}
# It cannot be used for once; read again, it says that it is yubikey-10000009.
between "answer=6f00 f7"
unblock_grace >/dev/null
wait_for 20 has_problem 2 6F00
: >"$between/apdus"
between "answer=009896899000 f8 all"
expect_failure any unblock_grace
[[ $output == *"is another one now"* ]] || fail "another error: $output"
! grep -E '^> 00(20|24|2c|ff|87)' "$between/apdus" || fail "another card was used"
rm "$between/order"
output=$(tessera audit verify)
[[ $output == *whole* ]] || fail "the audit trail is broken: $output"
