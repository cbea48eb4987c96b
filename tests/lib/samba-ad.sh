# SPDX-License-Identifier: LGPL-2.1-or-later
# A domain controller (tests/servers/samba-ad) in the folder ad of the present one:
#
#     start_samba                    its domain, and names of this machine that lead to it; $KRB5_CONFIG is the domain's
#     stop_samba
#     samba_change <LDIF             changes by ldbmodify, as the domain itself
#     samba_value NAME ATTRIBUTE     what its database says of an account, without asking by LDAP
# shellcheck shell=bash

# shellcheck source=tests/lib/activation.sh
source "$TESSERA_SOURCE/tests/lib/activation.sh"

samba_answers() {
    [ -e ad/ready ] && activation_answers 389 && activation_answers 88 && activation_answers 636
}

# Its files belong to users with numbers that a user namespace does not have.
start_samba() {
    local patience=$part_patience
    grep -q 4294967295 /proc/self/uid_map || skip "a domain controller needs root"
    export KRB5_CONFIG=$PWD/ad/krb5.conf
    [ -e dc1.pem ] || make_certificate dc1.lab.test dc1.pem
    part_patience=240
    start_part samba "$TESSERA_SOURCE/tests/servers/samba-ad" "$PWD/ad" dc1.pem.crt dc1.pem.key activation-ca.pem
    wait_for_part samba samba_answers
    part_patience=$patience
}

stop_samba() {
    stop_part samba TERM
}

samba_change() {
    ldbmodify -H "$PWD/ad/domain/private/sam.ldb" >/dev/null
}

samba_value() {
    ldbsearch -H "$PWD/ad/domain/private/sam.ldb" "(sAMAccountName=$1)" "$2" | sed -n "s/^$2: //p"
}
