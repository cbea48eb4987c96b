# SPDX-License-Identifier: LGPL-2.1-or-later
# A stand-in for DigiCert ONE, in the present folder, with the knobs of tests/lib/stand-in.sh:
#
#     start_digicert_one PORT [OPTION...]    tests/servers/digicert-one, with a TLS certificate of
#                                            activation-ca.pem and the API key in the file api-key
#     stop_digicert_one PORT
#     digicert_one JSON                      what its control socket answers to a line
#     add_digicert_one PORT                  the connection "digicert" to it, with its secret and profiles
# shellcheck shell=bash

# shellcheck source=tests/lib/stand-in.sh
source "$TESSERA_SOURCE/tests/lib/stand-in.sh"

start_digicert_one() {
    local port=$1
    shift
    [ -e localhost.pem ] || make_certificate localhost localhost.pem
    [ -e api-key ] || printf '0123456789abcdef0123456789_%064d\n' 7 >api-key
    stand_in_control=$PWD/digicert-one-$port.control
    start_part "digicert-one-$port" "$TESSERA_SOURCE/tests/servers/digicert-one" --port "$port" \
        --certificate "$PWD/localhost.pem" --key "$(cat api-key)" --ca-out "$PWD/digicert-ca.pem" \
        --control "$stand_in_control" "$@"
    wait_for_part "digicert-one-$port" activation_answers "$port"
}

stop_digicert_one() {
    stop_part "digicert-one-$1" TERM
}

digicert_one() {
    stand_in "$1"
}

# Short times, so that a test of lost answers does not take long.
digicert_one_document() {
    cat <<END
{"name": "digicert", "kind": "digicert-one", "url": "https://localhost:$1", "ca-file": "$PWD/activation-ca.pem",
 "timeout-seconds": 5, "retry-seconds": 3, "pickup-seconds": 3}
END
}

add_digicert_one() {
    digicert_one_document "$1" >digicert.json
    tessera connection add digicert.json >/dev/null
    tessera connection secret digicert api-key api-key >/dev/null
    tessera connection profiles digicert --update >/dev/null
}

# The shipped template for employees, with the stand-in in place of the local CA.
digicert_one_employee() {
    jq '{"smartcard-logon": "Smart card logon", signature: "Signature", encryption: "Encryption",
         "card-authentication": "Card authentication"} as $profiles |
        .keys[].certificate |= (.authority = "digicert" | .profile = $profiles[.profile])' \
        "$TESSERA_SOURCE/data/templates/employee.json"
}

# A template with two of the usual keys, certified by the stand-in.
digicert_one_template() {
    cat <<'END'
{"name": "digicert", "card-type": "piv", "keys": [
  {"slot": "authentication", "algorithm": "rsa-2048", "certificate": {"authority": "digicert",
   "profile": "Smart card logon", "subject": [["CN", "{name}"]], "san": {"upn": "{upn}", "email": "{email}"}}},
  {"slot": "signature", "algorithm": "rsa-2048", "certificate": {"authority": "digicert",
   "profile": "Signature", "subject": [["CN", "{name}"]], "san": {"email": "{email}"}}}]}
END
}
