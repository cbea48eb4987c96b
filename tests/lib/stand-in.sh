# SPDX-License-Identifier: LGPL-2.1-or-later
# Knobs and counters of a stand-in for a certification authority (tests/servers/stand_in.py), whose control socket is
# $stand_in_control, that of the last one started:
#
#     stand_in JSON               what it answers to a line
#     knob JSON                   sets knobs ({"lose-answer": 1})
#     no_knobs                    and takes all back
#     counted NAME                how often it did something ("issued")
#     has_certificates STATUS     how many of its certificates have that status
#     certificate_on_card         what the first card has for authentication, in PEM; nothing without one
#     try KNOBS ISSUED STATUS [TEXT]
#                                 the test's function issue, under these knobs, issues so many certificates at the
#                                 stand-in and ends so; a failure says TEXT in one line. A card that was issued holds what
#                                 the stand-in has issued, and is made ready again
#     is CARD STATUSES            the statuses of its certificates but for revoked ones are these, in words
#     signs_for CERTIFICATE PIN   the card signs with the key of the certificate in that file
# shellcheck shell=bash

# shellcheck source=tests/lib/activation.sh
source "$TESSERA_SOURCE/tests/lib/activation.sh"

stand_in_control=

stand_in() {
    # shellcheck disable=SC2016
    perl -MIO::Socket::UNIX -e '
        my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!\n";
        print $socket "$ARGV[1]\n";
        $socket->flush();
        print scalar(<$socket>) // "";
    ' "$stand_in_control" "$1"
}

knob() {
    stand_in "{\"set\": $1}" >/dev/null
}

no_knobs() {
    stand_in '{"clear": true}' >/dev/null
}

counted() {
    stand_in '{"count": true}' | jq -r ".[\"$1\"]"
}

has_certificates() {
    stand_in '{"certificates": true}' | jq "[.[] | select(.status == \"$1\")] | length"
}

certificate_on_card() {
    yubico-piv-tool --action read-certificate --slot 9a 2>/dev/null || true
}

# shellcheck disable=SC2154 # expect_failure sets output
try() {
    local before
    before=$(counted issued)
    knob "$1"
    if [ "$3" = 0 ]; then
        issue >said 2>&1 || fail "$1: $(cat said)"
        certificate_on_card >on-card.pem
        stand_in '{"certificates": true}' | jq -j '.[-1].pem' | cmp - on-card.pem ||
            fail "$1: the card has another certificate than was issued"
        no_knobs
        tessera card retire --yes >/dev/null
    else
        expect_failure "$3" issue
        [ "$(grep -c '^tessera: ' <<<"$output")" = 1 ] || fail "$1: not one clear error: $output"
        [[ $output == *"$4"* ]] || fail "$1: '$4' is not in: $output"
        [ "${#output}" -lt 900 ] || fail "$1: the error is ${#output} bytes long"
        [[ $output != *$'\x1b'* ]] || fail "control characters reach the terminal"
        no_knobs
        [ -z "$(certificate_on_card)" ] || fail "$1: the card has a certificate"
    fi
    [ $(($(counted issued) - before)) = "$2" ] ||
        fail "$1: $(($(counted issued) - before)) certificates were issued, not $2"
}

is() {
    local got
    got=$(tessera --json card show "$1" | jq -r '[.certificates[] | select(.status != "revoked").status] | join(" ")')
    [ "$got" = "$2" ] || fail "the certificates of $1 are '$got', not '$2'"
}

signs_for() {
    echo message >message
    foreign pkcs11-tool --module "$TESSERA_PKCS11_MODULE" --login --pin "$2" --id 01 --sign \
        --mechanism SHA256-RSA-PKCS --input-file message --output-file signature >/dev/null 2>&1
    openssl x509 -in "$1" -noout -pubkey >key.pem
    openssl dgst -sha256 -verify key.pem -signature signature message >/dev/null
}
