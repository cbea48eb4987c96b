# SPDX-License-Identifier: LGPL-2.1-or-later
# A stand-in for Microsoft Certificate Services, in the present folder:
#
#     start_ms_cs PORT [OPTION...]    tests/servers/ms-cs, with a TLS certificate of activation-ca.pem and the
#                                     password in the file ms-cs-password; its CA's certificate is in ms-cs-ca.pem
#     stop_ms_cs PORT
#     ms_cs JSON                      says something to the control socket of the last one started
#     ms_cs_knob JSON                 sets knobs ({"lose-answer": 1})
#     ms_cs_no_knobs                  and takes all back
#     ms_cs_counted NAME              how often it did something ("issued")
#     ms_cs_has STATUS                how many of its certificates are issued, held or revoked
#     ms_cs_document PORT             a connection document, "lab"
#     ms_cs_commands                  lets tesserad run certutil of the CA (restarts it)
#     ms_cs_revocation                the document on standard input, revoking by that
#     ms_cs_agent                     the document on standard input, with an enrollment agent
#     make_ms_cs_agent                an enrollment agent of the CA: ms-cs-agent.pem
#     add_ms_cs PORT                  the connection "lab" to it, with its secrets and profiles
# shellcheck shell=bash

# shellcheck source=tests/lib/activation.sh
source "$TESSERA_SOURCE/tests/lib/activation.sh"

start_ms_cs() {
    local port=$1
    shift
    [ -e localhost.pem ] || make_certificate localhost localhost.pem
    [ -e ms-cs-password ] || printf 'Pa<&ss "w"ord é\n' >ms-cs-password
    ms_cs_control=$PWD/ms-cs-$port.control
    start_part "ms-cs-$port" "$TESSERA_SOURCE/tests/servers/ms-cs" --port "$port" \
        --certificate "$PWD/localhost.pem" --password "$PWD/ms-cs-password" --ca-out "$PWD/ms-cs-ca.pem" \
        --control "$ms_cs_control" "$@"
    wait_for_part "ms-cs-$port" activation_answers "$port"
}

stop_ms_cs() {
    stop_part "ms-cs-$1" TERM
}

ms_cs() {
    # shellcheck disable=SC2016
    perl -MIO::Socket::UNIX -e '
        my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!\n";
        print $socket "$ARGV[1]\n";
        $socket->flush();
        print scalar(<$socket>) // "";
    ' "$ms_cs_control" "$1"
}

ms_cs_knob() {
    ms_cs "{\"set\": $1}" >/dev/null
}

ms_cs_no_knobs() {
    ms_cs '{"clear": true}' >/dev/null
}

ms_cs_counted() {
    ms_cs '{"count": true}' | jq -r ".[\"$1\"]"
}

ms_cs_has() {
    ms_cs '{"certificates": true}' | jq "[.[] | select(.status == \"$1\")] | length"
}

# Short times, so that a test of lost answers does not take long.
ms_cs_document() {
    cat <<END
{"name": "lab", "kind": "ms-cs", "url": "https://localhost:$1/LAB-CA_CES_UsernamePassword/service.svc/CES",
 "policy-url": "https://localhost:$1/ADPolicyProvider_CEP_UsernamePassword/service.svc/CEP",
 "authentication": "password", "user": "LAB\\\\cmsoper", "ca-file": "$PWD/activation-ca.pem",
 "timeout-seconds": 5, "pickup-seconds": 3}
END
}

ms_cs_commands() {
    mkdir -p commands
    cp "$TESSERA_SOURCE/tests/servers/ms-cs-certutil" commands/certutil
    chmod 755 commands commands/certutil
    daemon_option "command-dir = $PWD/commands"
    restart_daemon
}

ms_cs_revocation() {
    jq --arg control "$ms_cs_control" \
        '.revocation = {command: ["certutil", $control, "-revoke", "{serial}", "{reason}"]}'
}

ms_cs_agent() {
    jq '.["enrollment-agent"] = {requester: "LAB\\{account}"}'
}

make_ms_cs_agent() {
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out ms-cs-agent.key 2>/dev/null
    {
        ms_cs "$(openssl pkey -in ms-cs-agent.key -pubout | jq -Rs '{agent: .}' -c)" | jq -r .
        cat ms-cs-agent.key
    } >ms-cs-agent.pem
}

add_ms_cs() {
    ms_cs_document "$1" >lab.json
    tessera connection add lab.json >/dev/null
    tessera connection secret lab password ms-cs-password >/dev/null
    tessera connection profiles lab --update >/dev/null
}

# The shipped template for employees, with the stand-in in place of the local CA: names come from its directory.
ms_cs_employee() {
    jq '{"smartcard-logon": "TesseraLogon", signature: "TesseraSignature", encryption: "TesseraEncryption",
         "card-authentication": "TesseraCardAuth"} as $profiles |
        .keys[].certificate |= {authority: "lab", profile: $profiles[.profile]}' \
        "$TESSERA_SOURCE/data/templates/employee.json"
}

# A template with two keys whose subjects the request gives.
ms_cs_template() {
    cat <<'END'
{"name": "lab", "card-type": "piv", "keys": [
  {"slot": "authentication", "algorithm": "rsa-2048", "certificate": {"authority": "lab",
   "profile": "CardLogonOffline", "subject": [["CN", "{name}"]], "san": {"upn": "{upn}", "email": "{email}"}}},
  {"slot": "signature", "algorithm": "rsa-2048", "certificate": {"authority": "lab",
   "profile": "SignatureOffline", "subject": [["CN", "{name}"]], "san": {"email": "{email}"}}}]}
END
}
