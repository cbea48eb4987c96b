# SPDX-License-Identifier: LGPL-2.1-or-later
# Figures beside the bar that each has to reach. For programs in bench/.
#
#     bar WHAT VALUE at-least|below LIMIT UNIT
#     bars_end                                    fails when one was missed
# shellcheck shell=bash
missed=0

bar() {
    local verdict=pass
    awk -v value="$2" -v limit="$4" -v how="$3" \
        'BEGIN { exit !(how == "below" ? value < limit : value >= limit) }' || verdict=MISS
    [ "$verdict" = pass ] || missed=$((missed + 1))
    printf '%-4s  %-66s %9.2f %s (%s %s)\n' "$verdict" "$1" "$2" "$5" "${3/-/ }" "$4"
}

bars_end() {
    [ "$missed" = 0 ] || {
        echo "$missed missed; on a busy machine measure again"
        exit 1
    }
}
