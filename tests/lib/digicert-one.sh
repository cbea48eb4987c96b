# SPDX-License-Identifier: LGPL-2.1-or-later
# A stand-in for DigiCert ONE, in the present folder:
#
#     start_digicert_one PORT [OPTION...]    tests/servers/digicert-one, with a TLS certificate of
#                                            activation-ca.pem and the API key in the file api-key
#     stop_digicert_one PORT
#     knob JSON                              sets knobs ({"lose-answer": 1}) of the last one started
#     no_knobs                               and takes all back
#     counted NAME                           how often it did something ("issued")
#     has_certificates STATUS                how many of its certificates have that status
#     add_digicert_one PORT                  the connection "digicert" to it, with its secret and profiles
# shellcheck shell=bash

# shellcheck source=tests/lib/activation.sh
source "$TESSERA_SOURCE/tests/lib/activation.sh"

start_digicert_one() {
    local port=$1
    shift
    [ -e localhost.pem ] || make_certificate localhost localhost.pem
    [ -e api-key ] || printf '0123456789abcdef0123456789_%064d\n' 7 >api-key
    digicert_one_control=$PWD/digicert-one-$port.control
    start_part "digicert-one-$port" "$TESSERA_SOURCE/tests/servers/digicert-one" --port "$port" \
        --certificate "$PWD/localhost.pem" --key "$(cat api-key)" --ca-out "$PWD/digicert-ca.pem" \
        --control "$digicert_one_control" "$@"
    wait_for_part "digicert-one-$port" activation_answers "$port"
}

stop_digicert_one() {
    stop_part "digicert-one-$1" TERM
}

digicert_one() {
    # shellcheck disable=SC2016
    perl -MIO::Socket::UNIX -e '
        my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!\n";
        print $socket "$ARGV[1]\n";
        $socket->flush();
        print scalar(<$socket>) // "";
    ' "$digicert_one_control" "$1"
}

knob() {
    digicert_one "{\"set\": $1}" >/dev/null
}

no_knobs() {
    digicert_one '{"clear": true}' >/dev/null
}

counted() {
    digicert_one '{"count": true}' | jq -r ".[\"$1\"]"
}

has_certificates() {
    digicert_one '{"certificates": true}' | jq "[.[] | select(.status == \"$1\")] | length"
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
