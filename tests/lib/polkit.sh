# SPDX-License-Identifier: LGPL-2.1-or-later
# For a polkitd of a test's own, with actions/ and rules/ in the present folder:
#
#     polkit_pcscd_actions ANSWER    pcscd's two actions, with yes or no for everyone
# shellcheck shell=bash

polkit_pcscd_actions() {
    local action
    {
        echo '<?xml version="1.0" encoding="UTF-8"?>'
        echo '<policyconfig>'
        for action in access_pcsc access_card; do
            cat <<END
<action id="org.debian.pcsc-lite.$action">
  <description>Access</description><message>Access</message>
  <defaults><allow_any>$1</allow_any><allow_inactive>$1</allow_inactive>
    <allow_active>$1</allow_active></defaults>
</action>
END
        done
        echo '</policyconfig>'
    } >actions/org.debian.pcsc-lite.policy
}
