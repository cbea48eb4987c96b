#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# PAM lets in whose card it is, pam_pkcs11 and SSSD's p11_child refuse other and revoked ones
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need pamtester pkcs11_eventmgr sssd /usr/libexec/sssd/p11_child
cd "$TESSERA_SANDBOX/tmp"
page=login.md
# pam_pkcs11 loads nothing that others than root own, as all of the machine is in a user namespace.
opensc=$PWD/opensc-pkcs11.so
cp -L "$(ls /usr/lib/*/pkcs11/opensc-pkcs11.so)" "$opensc"
ada=$(issue 1 employee "Ada Lovelace")
install_module
private_folder /etc/pam.d
private_folder /etc/pam_pkcs11
private_folder /etc/sssd
private_folder /var/lib/sss
private_folder /var/log/sssd
mkdir -p /etc/sssd/pki
loads_module pamtester pkcs11_eventmgr /usr/libexec/sssd/p11_child
here() {
    sed "s|/usr/lib/pkcs11/tessera-pkcs11.so|$TESSERA_PKCS11_MODULE|"
}
log_in() { # USER [PIN]
    pamtester card "$1" authenticate <<<"${2:-271828}" >shown 2>&1
}

echo "# pam_pkcs11"
guide_lines "$page" "pam_pkcs11" | here >/etc/pam_pkcs11/pam_pkcs11.conf
guide_run "$page" "The authority and its list" >/dev/null
{
    guide_lines "$page" "PAM"
    echo "auth requisite pam_deny.so"
} >/etc/pam.d/card
log_in ada || fail "ada does not get in: $(cat shown)"
! log_in grace || fail "Ada's card lets grace in"
grep -q "No matching certificate" shown || fail "for grace it says: $(cat shown)"
! log_in ada 999999 || fail "a wrong PIN lets ada in"
grep -q "Wrong smartcard PIN" shown || fail "for a wrong PIN it says: $(cat shown)"

echo "# SSSD takes the configuration, and its program the card"
guide_lines "$page" "SSSD" >/etc/sssd/sssd.conf
chmod 0600 /etc/sssd/sssd.conf
sssd --genconf >shown 2>&1 || fail "SSSD does not take the page's configuration: $(cat shown)"
guide_run "$page" "SSSD's view of a card" >shown 2>&1 || fail "p11_child: $(cat shown)"
[ "$(grep -cx "Authentication key" shown)" = 2 ] || fail "p11_child says: $(cat shown)"

echo "# a suspended card: the module refuses it, and the list does when a thief goes past the module"
sed -i "s|$TESSERA_PKCS11_MODULE|$opensc|" /etc/pam_pkcs11/pam_pkcs11.conf
log_in ada || fail "ada does not get in by OpenSC's module: $(cat shown)"
tessera card suspend "$ada" --reason "left in a train" >/dev/null
guide_run "$page" "The authority and its list" >/dev/null
! log_in ada || fail "a revoked certificate lets ada in"
sed -i "s|$opensc|$TESSERA_PKCS11_MODULE|" /etc/pam_pkcs11/pam_pkcs11.conf
! log_in ada || fail "a suspended card lets ada in"
guide_run "$page" "SSSD's view of a card" >shown 2>&1 || true
! grep -qx "Authentication key" shown || fail "p11_child takes a revoked certificate: $(cat shown)"
tessera card resume "$ada" >/dev/null
guide_run "$page" "The authority and its list" >/dev/null
log_in ada || fail "ada does not get in with the card that was found: $(cat shown)"

echo "# the screen is locked when the card goes"
guide_lines "$page" "Lock the screen when the card goes" | here |
    sed "s|daemon = true|daemon = false|; s|loginctl lock-sessions|touch $PWD/locked|" >events.conf
pkcs11_eventmgr "config_file=$PWD/events.conf" nodaemon >events.log 2>&1 &
watcher=$!
# It tells changes only, from its first look on.
looked() {
    card_control 0 remove >/dev/null
    sleep 1.5
    card_control 0 insert >/dev/null
    sleep 1.5
    [ -e locked ]
}
wait_for 60 looked
kill "$watcher"
