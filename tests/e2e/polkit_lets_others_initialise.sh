#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# who is not root may make the first system owner where polkit says so, at both doors, and nobody else without polkit
# sandbox: --no-daemon --no-owner
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/polkit.sh
source "$TESSERA_SOURCE/tests/lib/polkit.sh"
cd "$TESSERA_SANDBOX/tmp"
polkitd=$(find /usr/lib/polkit-1 /usr/libexec -name polkitd 2>/dev/null | head -n 1)
[ -n "$polkitd" ] || skip "polkitd is not installed"
mkdir -p "$TESSERA_SANDBOX/shared"
chmod 0755 "$TESSERA_SANDBOX/shared"
pin=$TESSERA_SANDBOX/shared/pin
echo 271828 >"$pin"
chmod 0644 "$pin"

# As its own user, which polkit answers about others only by the action's annotation.
write_daemon_config
chown -R tessera:tessera "$TESSERA_STATE" "$TESSERA_SANDBOX/kept/token-pin" /run/tessera
start_tesserad() {
    start_part tesserad setpriv --reuid tessera --regid tessera --clear-groups --inh-caps=-all \
        --bounding-set=-all --no-new-privs tesserad --config "$TESSERA_CONFIG"
    wait_for_part tesserad daemon_owns_name
    wait_for 20 card_is_read
}
card_is_read() {
    [ "$(tessera --json reader show 1 | jq -r .state)" = unregistered ]
}
as_ada() {
    setpriv --reuid ada --regid ada --clear-groups "$@"
}
init() {
    as_ada tessera init --reader 1 --new-pin-file "$pin" --name 'Ada Lovelace'
}
init_over_system_bus() {
    as_ada busctl --no-pager call org.tessera1 /org/tessera1 org.tessera1.Manager AddSystemOwner \
        'osa{sv}' /org/tessera1/reader/1 271828 1 name s 'Ada Lovelace'
}
refused() { # refused WORDS COMMAND...
    expect_failure any "${@:2}"
    [[ $output == *"$1"* ]] || fail "instead of '$1' '${*:2}' says: $output"
    [ "$(tessera --json status | jq -r .initialized)" = false ] || fail "it is initialised"
}

# --- no polkit: root alone
start_tesserad
refused "polkit, which would have to let the user (org.tessera1.initialize), does not answer" init
refused "root may, without authentication" init_over_system_bus
stop_part tesserad TERM

# --- polkit, with our action as it is installed; pcscd's actions are for everyone here
mkdir actions rules empty
cp "$TESSERA_SOURCE/data/org.tessera1.policy" actions/
polkit_pcscd_actions yes
decide() { # decide RESULT: what the administrator's rule says about ada
    cat >rules/10-test.rules <<END
polkit.addRule(function(action, subject) {
    if (action.id == "org.tessera1.initialize" && subject.user == "ada")
        return polkit.Result.$1;
});
END
}
decide NO
chmod 0755 actions rules
chmod 0644 actions/* rules/*
mount --bind actions /usr/share/polkit-1/actions
mount --bind rules /usr/share/polkit-1/rules.d
[ ! -d /etc/polkit-1/rules.d ] || mount --bind empty /etc/polkit-1/rules.d
cp /usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf "$TESSERA_SANDBOX/etc/policy/"
polkit_answers() {
    bus_call org.freedesktop.DBus.NameHasOwner string:org.freedesktop.PolicyKit1 | grep -q true
}
start_polkitd() {
    start_part polkitd "$polkitd" --no-debug
    wait_for_part polkitd polkit_answers
}
stop_bus
start_bus
start_polkitd
start_tesserad
refused "polkit does not let this user (org.tessera1.initialize); root may" init
refused "polkit does not let this user" init_over_system_bus

# What the action says where no rule does: an administrator's password, which nobody here can give.
stop_part polkitd TERM
decide NOT_HANDLED
start_polkitd
refused "wants an administrator to authenticate" init
refused "wants an administrator to authenticate" init_over_system_bus

stop_part polkitd TERM
decide YES
start_polkitd
init >answer
grep -qi "unblock code" answer || fail "init as ada: $(cat answer)"
[ "$(tessera --json status | jq -r .initialized)" = true ] || fail "it is not initialised"

# From now on an owner's login is needed, whatever polkit says.
expect_failure 4 init
[[ $output == *"must log in first"* ]] || fail "$output"
tessera login --reader 1 --pin-file "$pin" -- tessera --json audit list --operation add-system-owner >records
jq -e --arg uid "uid=$(id -u ada) " '[.[] | select(.actor | startswith($uid))] | (.[0].outcome == "AccessDenied")
    and any(.outcome == "ok")' records >/dev/null || fail "the audit trail: $(cat records)"
stop_part polkitd TERM
