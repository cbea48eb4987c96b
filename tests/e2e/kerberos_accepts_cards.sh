#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# kinit gets a ticket of a real KDC with a card; revoked, other and unfit certificates get none
# sandbox: --cards blank,blank
# shellcheck source=tests/lib/sandbox.sh
source "$TESSERA_SOURCE/tests/lib/sandbox.sh"
# shellcheck source=tests/lib/guide.sh
source "$TESSERA_SOURCE/tests/lib/guide.sh"
# shellcheck source=tests/lib/programs.sh
source "$TESSERA_SOURCE/tests/lib/programs.sh"

need kdestroy kinit klist kvno krb5kdc kdb5_util kadmin.local
cd "$TESSERA_SANDBOX/tmp"
page=kerberos.md

# Grace's card has what employees' have not: a certificate without the usage, and one without UPN.
cat >unfit.json <<'END'
{"name": "unfit", "card-type": "piv", "keys": [
    {"slot": "authentication", "algorithm": "rsa-2048", "certificate":
        {"authority": "local", "profile": "signature", "san": {"upn": "{upn}"}}},
    {"slot": "key-management", "algorithm": "rsa-2048", "certificate":
        {"authority": "local", "profile": "smartcard-logon", "san": {"email": "{email}"}}}]}
END
tessera template add unfit.json >/dev/null
ada=$(issue 1 employee "Ada Lovelace")
issue 2 unfit "Grace Hopper" >/dev/null

# The machine's folders of Kerberos, for this test alone; its host is this one.
host_is_here kdc.example.org
private_folder /etc/krb5kdc
mkdir database
export KRB5_CONFIG=$PWD/krb5.conf KRB5_KDC_PROFILE=$PWD/kdc.conf KRB5CCNAME=FILE:$PWD/tickets
guide_run "$page" "Certificates for the KDC" >made 2>&1 || fail "no certificates: $(cat made)"
{
    guide_lines "$page" "The KDC" | sed "s|^    EXAMPLE.ORG = {|&\n\
        database_name = $PWD/database/principal\n        key_stash_file = $PWD/database/stash|"
    printf '[logging]\n    kdc = STDERR\n'
} >kdc.conf
guide_lines "$page" "Users' machines" | sed "s|/usr/lib/pkcs11/tessera-pkcs11.so|$TESSERA_PKCS11_MODULE|;
    s|/etc/krb5/kdc-ca.pem|/etc/krb5kdc/kdc.pem|; s|/etc/krb5/|/etc/krb5kdc/|" >krb5.conf
kdb5_util -r EXAMPLE.ORG create -s -P master >/dev/null
guide_run "$page" "Principals" >/dev/null
kadmin.local addprinc -nokey +requires_preauth grace@EXAMPLE.ORG >/dev/null
kadmin.local addprinc -randkey host/server.example.org@EXAMPLE.ORG >/dev/null

start_kdc() {
    start_server 88 krb5kdc -n
}
systemctl() {
    [ "$*" = "restart krb5-kdc" ] || fail "the page calls systemctl $*"
    stop_server
    start_kdc
}
loads_module kinit
# refused TEXT ARGUMENT...: kinit with these gets no ticket, and says why
refused() {
    local text=$1 status=0
    shift
    KRB5_TRACE=$PWD/trace kinit "$@" <pin >shown 2>&1 || status=$?
    [ "$status" != 0 ] || fail "kinit $* got a ticket: $(klist)"
    grep -q "$text" shown trace || fail "kinit $* says: $(cat shown trace server.log)"
    rm trace
}
identity() { # MODULE TOKEN [MORE]
    echo "X509_user_identity=PKCS11:module_name=$1:token=$2${3:-}"
}
start_kdc

echo "# a ticket, and with it another one"
guide_run "$page" "Get a ticket" >shown <<<"271828"$'\n'"271828" || fail "no ticket: $(cat shown server.log)"
grep -q 'Default principal: ada@EXAMPLE.ORG' shown || fail "klist says: $(cat shown)"
expect_output "kvno = 1" kvno host/server.example.org@EXAMPLE.ORG
kdestroy -q

echo "# a wrong PIN, another person, and certificates that are not for this"
echo 999999 >wrong
! kinit -X "$(identity "$TESSERA_PKCS11_MODULE" "Ada Lovelace")" ada@EXAMPLE.ORG <wrong >shown 2>&1 ||
    fail "kinit takes a wrong PIN"
refused "Client name mismatch" -X "$(identity "$TESSERA_PKCS11_MODULE" "Ada Lovelace")" grace@EXAMPLE.ORG
sed -i '/pkinit_cert_match/d' krb5.conf
refused "Inconsistent key purpose" \
    -X "$(identity "$TESSERA_PKCS11_MODULE" "Grace Hopper" :certid=01)" grace@EXAMPLE.ORG
refused "Client name mismatch" \
    -X "$(identity "$TESSERA_PKCS11_MODULE" "Grace Hopper" :certid=03)" grace@EXAMPLE.ORG
refused "must be exactly one" -X "$(identity "$TESSERA_PKCS11_MODULE" "Ada Lovelace")" ada@EXAMPLE.ORG

echo "# a suspended card: refused by the module, and by the KDC when the thief goes past it"
thief=$(identity "$(ls /usr/lib/*/pkcs11/opensc-pkcs11.so)" "Ada Lovelace" :certid=01)
ours=$(identity "$TESSERA_PKCS11_MODULE" "Ada Lovelace" :certid=01)
kinit -X "$thief" ada@EXAMPLE.ORG <pin >shown 2>&1 || fail "OpenSC's module gets no ticket: $(cat shown)"
kdestroy -q
tessera card suspend "$ada" --reason "left in a train" >/dev/null
guide_run "$page" "Revoked and suspended cards"
refused "" -X "$ours" ada@EXAMPLE.ORG
refused "Revoked certificate" -X "$thief" ada@EXAMPLE.ORG
tessera card resume "$ada" >/dev/null
guide_run "$page" "Revoked and suspended cards"
kinit -X "$ours" ada@EXAMPLE.ORG <pin >shown 2>&1 || fail "no ticket with the card that was found: $(cat shown)"
stop_server
