#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# where pcscd asks polkit, our rule lets tesserad's user in and changes nothing for others
# sandbox: --no-daemon --no-pcscd
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/polkit.sh
source "$TESSERA_SOURCE/tests/lib/polkit.sh"
cd "$TESSERA_SANDBOX/tmp"

polkitd=$(find /usr/lib/polkit-1 /usr/libexec -name polkitd 2>/dev/null | head -n 1)
[ -n "$polkitd" ] || skip "polkitd is not installed"

# A polkitd with pcscd's two actions and our rule alone.
mkdir actions rules
cp "$TESSERA_SOURCE/data/tessera.rules" rules/org.tessera1.rules
polkit_pcscd_actions no
chmod 0755 actions rules
chmod 0644 actions/* rules/*
mount --bind actions /usr/share/polkit-1/actions
mount --bind rules /usr/share/polkit-1/rules.d
mkdir empty
[ ! -d /etc/polkit-1/rules.d ] || mount --bind empty /etc/polkit-1/rules.d
cp /usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf "$TESSERA_SANDBOX/etc/policy/"
stop_bus
start_bus
start_part polkitd "$polkitd" --no-debug
polkit_answers() {
    bus_call org.freedesktop.DBus.NameHasOwner string:org.freedesktop.PolicyKit1 | grep -q true
}
wait_for_part polkitd polkit_answers

# may USER ACTION: whether a process of that user is allowed.
may() {
    local process allowed=0
    setpriv --reuid "$1" --regid "$1" --clear-groups sleep 60 &
    process=$!
    wait_until 5 test "$(id -u "$1")" = "$(stat -c %u "/proc/$process")"
    pkcheck --action-id "org.debian.pcsc-lite.$2" --process "$process" >/dev/null 2>&1 || allowed=1
    kill "$process"
    return "$allowed"
}
for action in access_pcsc access_card; do
    may tessera "$action" || fail "tesserad's user may not $action"
    ! may ada "$action" || fail "the rule lets others $action"
done
stop_part polkitd TERM
