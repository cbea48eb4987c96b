# SPDX-License-Identifier: LGPL-2.1-or-later
# A stand-in for an activation service, in the present folder:
#
#     make_certificate NAME FILE     a certificate for that host name, signed by activation-ca.pem
#                                    (made if it is missing), with its key
#     start_activation PORT CERT     tests/servers/activation with licence.key and codes.json
#     stop_activation PORT
# shellcheck shell=bash

make_activation_ca() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Test CA" \
        -keyout activation-ca.key -out activation-ca.pem 2>/dev/null
}

make_certificate() {
    [ -e activation-ca.pem ] || make_activation_ca
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$2.key" -out "$2.csr" 2>/dev/null
    printf 'subjectAltName=DNS:%s\n' "$1" >"$2.ext"
    openssl x509 -req -days 30 -in "$2.csr" -CA activation-ca.pem -CAkey activation-ca.key \
        -extfile "$2.ext" -out "$2.crt" 2>/dev/null
    cat "$2.crt" "$2.key" >"$2"
}

activation_answers() {
    (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start_activation() {
    start_part "activation-$1" "$TESSERA_SOURCE/tests/servers/activation" --port "$1" \
        --key "$PWD/licence.key" --codes "$PWD/codes.json" --certificate "$PWD/$2"
    wait_for_part "activation-$1" activation_answers "$1"
}

stop_activation() {
    stop_part "activation-$1" TERM
}
