/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/status-word.h"

static const struct {
	uint16_t status;
	enum error_code code;
	const char *words;
} meanings[] = {
	{0x6200, ERROR_CARD_FAILED, "warning without further information"},
	{0x6281, ERROR_CARD_FAILED, "part of the data may be corrupted"},
	{0x6282, ERROR_CARD_FAILED, "end of the data reached early"},
	{SW_VERIFICATION_FAILED, ERROR_CARD_FAILED, "verification failed"},
	{0x6400, ERROR_CARD_FAILED, "execution failed, nothing was changed"},
	{0x6500, ERROR_CARD_FAILED, "execution failed, memory may have changed"},
	{0x6581, ERROR_CARD_FAILED, "the card's memory failed"},
	{SW_WRONG_LENGTH, ERROR_DATA_LENGTH, "wrong length"},
	{0x6881, ERROR_NOT_SUPPORTED, "logical channels are not supported"},
	{SW_NO_SECURE_MESSAGING, ERROR_NOT_SUPPORTED, "secure messaging is not supported"},
	{0x6883, ERROR_CARD_FAILED, "the last command of a chain is missing"},
	{0x6884, ERROR_NOT_SUPPORTED, "command chaining is not supported"},
	{SW_SECURITY_NOT_SATISFIED, ERROR_PIN_REQUIRED, "the PIN is needed first"},
	{SW_BLOCKED, ERROR_PIN_BLOCKED, "the PIN is blocked"},
	{0x6984, ERROR_CARD_FAILED, "the reference data cannot be used"},
	{SW_CONDITIONS_NOT_SATISFIED, ERROR_CARD_FAILED, "conditions of use are not satisfied"},
	{0x6986, ERROR_CARD_FAILED, "the command is not allowed"},
	{SW_SECURE_MESSAGING_MISSING, ERROR_CARD_FAILED, "secure messaging is missing"},
	{SW_SECURE_MESSAGING_WRONG, ERROR_CARD_FAILED, "secure messaging is wrong"},
	{SW_APPLET_SELECT_FAILED, ERROR_CARD_FAILED, "the application cannot be selected"},
	{SW_WRONG_DATA, ERROR_DATA_INVALID, "the card refused the data"},
	{SW_FUNCTION_NOT_SUPPORTED, ERROR_NOT_SUPPORTED, "the card cannot do this"},
	{SW_FILE_NOT_FOUND, ERROR_NOT_FOUND, "the card has no such object"},
	{0x6A83, ERROR_NOT_FOUND, "the card has no such record"},
	{0x6A84, ERROR_CARD_FAILED, "the card's memory is full"},
	{0x6A85, ERROR_CARD_FAILED, "the data does not fit its structure"},
	{SW_WRONG_PARAMETERS, ERROR_NOT_SUPPORTED, "the card does not know the parameters"},
	{SW_REFERENCE_NOT_FOUND, ERROR_NOT_FOUND, "the card has no such key"},
	{SW_WRONG_P1_P2, ERROR_NOT_SUPPORTED, "the card does not know the parameters"},
	{SW_INS_NOT_SUPPORTED, ERROR_NOT_SUPPORTED, "the card does not know the command"},
	{SW_CLA_NOT_SUPPORTED, ERROR_NOT_SUPPORTED, "the card does not know the command class"},
	{0x6F00, ERROR_CARD_FAILED, "the card failed inside"},
};

bool status_word_tries(uint16_t status, unsigned *tries)
{
	if ((status & 0xFFF0) != 0x63C0)
		return false;
	*tries = status & 0xF;
	return true;
}

static bool set_wrong_pin(unsigned tries, struct error *error)
{
	if (tries == 0)
		return error_set(error, ERROR_PIN_BLOCKED, "wrong PIN; it is blocked now");
	error_set(error, ERROR_PIN_WRONG,
		tries == 1 ? "wrong PIN; %u try is left" : "wrong PIN; %u tries are left", tries);
	return error_set_detail(error, tries);
}

bool status_word_check(uint16_t status, const char *what, struct error *error)
{
	unsigned tries;

	if (status == SW_SUCCESS)
		return true;
	if (status_word_tries(status, &tries))
		return set_wrong_pin(tries, error);
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].status == status) {
			error_set(error, meanings[i].code, "%s: %s (%04X)", what, meanings[i].words,
				status);
			return error_set_detail(error, status);
		}
	}
	error_set(error, ERROR_CARD_FAILED, "%s: unexpected status %04X", what, status);
	return error_set_detail(error, status);
}
