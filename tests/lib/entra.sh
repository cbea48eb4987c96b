# SPDX-License-Identifier: LGPL-2.1-or-later
# A stand-in for Entra ID and Microsoft Graph, in the present folder, with the knobs of tests/lib/stand-in.sh:
#
#     start_entra PORT [OPTION...]    tests/servers/entra at PORT (tokens) and PORT + 1 (Graph), with a TLS certificate of
#                                     activation-ca.pem, the secret in the file client-secret, and the certificate upload.pem
#                                     if that is there
#     stop_entra PORT
#     entra_document PORT             a connection to it
#     add_entra PORT                  the connection "entra" to it, with its secret
# shellcheck shell=bash

# shellcheck source=tests/lib/stand-in.sh
source "$TESSERA_SOURCE/tests/lib/stand-in.sh"

start_entra() {
    local port=$1 certificate=()
    shift
    [ -e localhost.pem ] || make_certificate localhost localhost.pem
    [ -e client-secret ] || printf 'Q~8%%+s3cr3t&=.%024d\n' 7 >client-secret
    [ ! -e upload.pem ] || certificate=(--client-certificate "$PWD/upload.pem")
    stand_in_control=$PWD/entra-$port.control
    start_part "entra-$port" "$TESSERA_SOURCE/tests/servers/entra" --port "$port" --api-port $((port + 1)) \
        --certificate "$PWD/localhost.pem" --client-secret "$(cat client-secret)" "${certificate[@]}" \
        --domain contoso.onmicrosoft.com --control "$stand_in_control" "$@"
    wait_for_part "entra-$port" activation_answers "$port"
}

stop_entra() {
    stop_part "entra-$1" TERM
}

# Short times, so that a test of busy services does not take long.
entra_document() {
    cat <<END
{"name": "entra", "kind": "entra-id", "tenant": "contoso.onmicrosoft.com", "client-id": "99999999-8888-4777-8666-555555555555",
 "authentication-url": "https://localhost:$1", "api-url": "https://localhost:$(($1 + 1))", "ca-file": "$PWD/activation-ca.pem",
 "timeout-seconds": 5, "retry-seconds": 3}
END
}

add_entra() {
    entra_document "$1" >entra.json
    tessera connection add entra.json >/dev/null
    tessera connection secret entra client-secret client-secret >/dev/null
}
