# SPDX-License-Identifier: LGPL-2.1-or-later
# A stand-in for DigiCert PKI Platform 8, in the present folder, with the knobs of tests/lib/stand-in.sh:
#
#     start_pki_platform PORT [OPTION...]    tests/servers/pki-platform, with a TLS certificate of activation-ca.pem, and
#                                            the client certificate ra.pem that it asks for
#     stop_pki_platform PORT
#     add_pki_platform PORT                  the connection "platform" to it, with its secret and profiles
#     pki_platform_template                  a template with two keys, certified by it
# shellcheck shell=bash

# shellcheck source=tests/lib/stand-in.sh
source "$TESSERA_SOURCE/tests/lib/stand-in.sh"

make_ra_certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=Registration Authority" -keyout "$1.key" -out "$1.crt" \
        2>/dev/null
    cat "$1.crt" "$1.key" >"$1.pem"
}

start_pki_platform() {
    local port=$1
    shift
    [ -e localhost.pem ] || make_certificate localhost localhost.pem
    [ -e ra.pem ] || make_ra_certificate ra
    stand_in_control=$PWD/pki-platform-$port.control
    start_part "pki-platform-$port" "$TESSERA_SOURCE/tests/servers/pki-platform" --port "$port" \
        --certificate "$PWD/localhost.pem" --client-ca "$PWD/ra.crt" --ca-out "$PWD/platform-ca.pem" \
        --control "$stand_in_control" "$@"
    wait_for_part "pki-platform-$port" activation_answers "$port"
}

stop_pki_platform() {
    stop_part "pki-platform-$1" TERM
}

# Short times, so that a test of lost answers does not take long.
pki_platform_document() {
    cat <<END
{"name": "platform", "kind": "digicert-pki-platform", "url": "https://localhost:$1",
 "ca-file": "$PWD/activation-ca.pem", "timeout-seconds": 5, "retry-seconds": 3, "pickup-seconds": 3}
END
}

add_pki_platform() {
    pki_platform_document "$1" >platform.json
    tessera connection add platform.json >/dev/null
    tessera connection secret platform client-certificate ra.pem >/dev/null
    tessera connection profiles platform --update >/dev/null
}

pki_platform_template() {
    cat <<'END'
{"name": "platform", "card-type": "piv", "keys": [
  {"slot": "authentication", "algorithm": "rsa-2048", "certificate": {"authority": "platform",
   "profile": "Smart card logon", "subject": [["CN", "{name}"]], "san": {"upn": "{upn}", "email": "{email}"}}},
  {"slot": "signature", "algorithm": "rsa-2048", "certificate": {"authority": "platform",
   "profile": "Signature", "subject": [["CN", "{name}"]], "san": {"email": "{email}"}}}]}
END
}
