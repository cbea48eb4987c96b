#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# from the first start on an installation is set up as the guide says
# sandbox: --no-owner --vcard-option 0:--serial=12345678
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
cd "$TESSERA_SANDBOX/tmp"
mkdir -p "$TESSERA_SANDBOX/etc/tessera" "$TESSERA_SANDBOX/etc/systemd"
guide_types 'PIN=271828'

is() {
    [ "$(tessera --json status | jq -r ".$1")" = "$2" ] || fail "$1 is not $2: $(tessera status)"
}
no_pin_file() {
    sed -i '/^token-pin-file/d' "$TESSERA_CONFIG"
}
reader_is_there() {
    tessera --json reader show 1 | jq -e '.serial == "yubikey-12345678"' >/dev/null
}

# --- first start: sealed to the owner's card
stop_daemon
rm -rf "${TESSERA_STATE:?}"/*
no_pin_file
guide_run install.md "First start" "systemctl daemon-reload"
is initialized false
wait_for 20 reader_is_there
guide_run install.md "First start" "tessera init" >shown
grep -q "unblock code" shown || fail "no unblock code is shown: $(cat shown)"
is initialized true
is locked false

# --- what is changed in the configuration counts after a restart
daemon_option "login-timeout = 20"
guide_run install.md "Configuration"
is locked true
guide_run install.md "The service's own user"
grep -q '^PrivateNetwork=yes$' "$TESSERA_SANDBOX/etc/systemd/system/tesserad.service.d/no-network.conf" ||
    fail "the drop-in is not as the page says"

# --- unattended: a new installation with its token's PIN in a file
stop_daemon
rm -rf "${TESSERA_STATE:?}"/*
stop_card 0
wait_for 20 cards_seen_are 0
rm "$VCARD_STATE_0"
start_card 0
wait_for 20 cards_seen_are 1
guide_run install.md "Unattended mode" "install -d -m 0755"
[ "$(stat -c %a "$TESSERA_SANDBOX/etc/tessera/token-pin")" = 600 ] || fail "others may read the PIN"
chown tessera "$TESSERA_SANDBOX/etc/tessera/token-pin" 2>/dev/null || true
# The file's place is one of the sandbox here.
daemon_option "token-pin-file = $TESSERA_SANDBOX/etc/tessera/token-pin"
start_daemon
guide_run install.md "Unattended mode" "install -d /etc/systemd"
is locked true # the token is made with the owner
wait_for 20 reader_is_there
guide_run install.md "First start" "tessera init" >/dev/null
restart_daemon
is initialized true
is locked false

# --- troubleshooting.md begins with the same
guide_run troubleshooting.md "Troubleshooting" "tessera status"
