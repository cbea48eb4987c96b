# SPDX-License-Identifier: LGPL-2.1-or-later
# Knobs and counters of a stand-in for a certification authority (tests/servers/stand_in.py), whose control socket is
# $stand_in_control, that of the last one started:
#
#     stand_in JSON               what it answers to a line
#     knob JSON                   sets knobs ({"lose-answer": 1})
#     no_knobs                    and takes all back
#     counted NAME                how often it did something ("issued")
#     has_certificates STATUS     how many of its certificates have that status
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
