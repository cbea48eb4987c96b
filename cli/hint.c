/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/hint.h"

#include <string.h>

static const char *const hints[ERROR_CODE_COUNT] = {
	[ERROR_FAILED] = "if the service failed, its log says more: journalctl -u tesserad",
	[ERROR_INVALID_ARGUMENT] = "see tessera --help and tessera(1)",
	[ERROR_NOT_FOUND] = "what there is show tessera reader list, card list, template list, "
			    "connection list, slot list, task list and job list",
	[ERROR_EXISTS] = "change what is there already, or choose another name",
	[ERROR_ACCESS_DENIED] = "log in with an operator's card: tessera login",
	[ERROR_QUORUM_MISSING] = "within this login: tessera login --reader N; tessera quorum list "
				 "shows what takes how many",
	[ERROR_LOCKED] = "a system owner or custodian logs in: tessera login",
	[ERROR_NOT_INITIALIZED] = "put the owner's card into a reader and run tessera init",
	[ERROR_NOT_SUPPORTED] = "use a card or an authority that can do it",
	[ERROR_BUSY] = "try again in a moment; tessera job list shows what goes on",
	[ERROR_CANCELLED] = "see how things are with tessera card list, and start it again",
	[ERROR_TIMEOUT] = "look whether it still goes on: tessera job list",
	[ERROR_NO_CARD] = "put the card into a reader; tessera reader list shows what is there",
	[ERROR_CARD_FAILED] =
		"take the card out, put it in again and retry; Tessera finishes or undoes what "
		"was begun",
	[ERROR_CARD_UNKNOWN] = "tessera reader show tells what the card is",
	[ERROR_CARD_FOREIGN] =
		"have the system that owns the card give it up, or reset the card, first",
	[ERROR_WRONG_STATE] = "tessera card show and tessera job show tell how things are",
	[ERROR_PIN_WRONG] = "try again with care: a few wrong PINs block the card",
	[ERROR_PIN_BLOCKED] = "tessera card unblock sets a new PIN",
	[ERROR_PIN_EXPIRED] = "tessera card change-pin sets another one",
	[ERROR_CODE_EXPIRED] = "an operator gives out a code: tessera card offline-unblock",
	[ERROR_PIN_LENGTH] =
		"choose a PIN of another length; tessera template show tells the policy",
	[ERROR_PIN_POLICY] = "choose another PIN; tessera template show tells the policy",
	[ERROR_PUK_BLOCKED] = "only a reset of the card helps; retire it and issue another",
	[ERROR_INVALID_TEMPLATE] = "correct the document; tessera-template(5) describes it",
	[ERROR_INVALID_CONNECTION] = "correct the document; tessera-connection(5) describes it",
	[ERROR_INVALID_TYPE] = "correct the document; tessera-type(5) describes it",
	[ERROR_IN_USE] = "change or remove first what refers to it",
	[ERROR_AUTHORITY_FAILED] = "tessera connection test NAME tells what the authority answers",
	[ERROR_DIRECTORY_FAILED] = "tessera connection test NAME tells what the directory answers",
	[ERROR_AUTHORITY_REJECTED] =
		"compare the template with the authority's profiles: tessera connection profiles "
		"NAME",
	[ERROR_STORE_FAILED] = "the service's log says more: journalctl -u tesserad",
	[ERROR_STORE_FULL] = "make room on the file system of the state folder, and start it again",
	[ERROR_STORE_READ_ONLY] = "make the state folder writable for tesserad, and start it again",
	[ERROR_TOKEN_FAILED] = "the service's log says more: journalctl -u tesserad",
	[ERROR_AUDIT_BROKEN] = "compare with your last good export of the trail",
	[ERROR_NO_READER_SERVICE] = "start it: systemctl start pcscd.socket",
	[ERROR_NO_SERVICE] =
		"start it with systemctl start tesserad, or give the path of its socket with "
		"--socket",
	[ERROR_LIMIT_REACHED] =
		"retire cards that nobody uses, or activate a licence: tessera licence show",
	[ERROR_INVALID_LICENCE] = "ask for a licence that is made for this store: tessera licence "
				  "request",
	[ERROR_NETWORK_FAILED] =
		"look at the network; tessera connection test NAME tries an authority "
		"or a directory, and a licence comes without it: tessera licence request",
};

const char *hint_for(enum error_code code, const char *subject)
{
	if (code == ERROR_ACCESS_DENIED && subject && strcmp(subject, "self") == 0)
		return "an operator can give you a one-time code";
	return hints[code];
}
