/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

#include "vcard/keys.h"
#include "vcard/knobs.h"

enum {
	OPTION_HOST = 1,
	OPTION_PORT,
	OPTION_STATE,
	OPTION_BLANK,
	OPTION_SERIAL,
	OPTION_FIRMWARE,
	OPTION_PROFILE,
	OPTION_ATR,
	OPTION_GUID,
	OPTION_MANAGEMENT,
	OPTION_SCP11_CA,
	OPTION_KNOB,
	OPTION_TOUCH_DENY,
	OPTION_COUNT_FILE,
	OPTION_APDU_LOG,
	OPTION_CONTROL,
	OPTION_WAIT,
	OPTION_REINSERT,
	OPTION_REMOVED,
	OPTION_HELP,
};

static const struct option table[] = {
	{"host", required_argument, NULL, OPTION_HOST},
	{"port", required_argument, NULL, OPTION_PORT},
	{"state", required_argument, NULL, OPTION_STATE},
	{"blank", no_argument, NULL, OPTION_BLANK},
	{"serial", required_argument, NULL, OPTION_SERIAL},
	{"firmware", required_argument, NULL, OPTION_FIRMWARE},
	{"profile", required_argument, NULL, OPTION_PROFILE},
	{"atr", required_argument, NULL, OPTION_ATR},
	{"chuid-guid", required_argument, NULL, OPTION_GUID},
	{"management-algorithm", required_argument, NULL, OPTION_MANAGEMENT},
	{"scp11-ca", required_argument, NULL, OPTION_SCP11_CA},
	{"latency-apdu-us", required_argument, NULL, OPTION_KNOB},
	{"latency-byte-us", required_argument, NULL, OPTION_KNOB},
	{"vanish-at", required_argument, NULL, OPTION_KNOB},
	{"vanish-after", required_argument, NULL, OPTION_KNOB},
	{"fail-at", required_argument, NULL, OPTION_KNOB},
	{"hold-at", required_argument, NULL, OPTION_KNOB},
	{"wrong-answer-at", required_argument, NULL, OPTION_KNOB},
	{"touch-deny", no_argument, NULL, OPTION_TOUCH_DENY},
	{"count-file", required_argument, NULL, OPTION_COUNT_FILE},
	{"apdu-log", required_argument, NULL, OPTION_APDU_LOG},
	{"control", required_argument, NULL, OPTION_CONTROL},
	{"wait", required_argument, NULL, OPTION_WAIT},
	{"reinsert-after-ms", required_argument, NULL, OPTION_REINSERT},
	{"removed", no_argument, NULL, OPTION_REMOVED},
	{"help", no_argument, NULL, OPTION_HELP},
	{0},
};

static const char help[] =
	"Usage: tessera-vcard [OPTION]...\n"
	"A virtual PIV card for tests, in the virtual reader of vpcd.\n"
	"\n"
	"  --host=NAME, --port=N         where vpcd listens (127.0.0.1, 35963)\n"
	"  --wait=SECONDS                how long to wait for vpcd; 0 is for ever (10)\n"
	"  --removed                     start outside the reader (needs --control)\n"
	"\n"
	"The card:\n"
	"  --state=FILE                  keep the state here; a new file is a card in factory "
	"state\n"
	"  --blank                       forget what the file holds\n"
	"  --serial=N                    serial number; 0: the card has none (random, then kept)\n"
	"  --profile=yubikey|nist        nist: SP 800-73-4 without the YubiKey's extensions\n"
	"  --firmware=X.Y.Z              of a YubiKey (5.4.3)\n"
	"  --atr=HEX                     answer to reset; one that offers T=0 first makes a card "
	"that\n"
	"                                takes T=0's form of commands only\n"
	"  --chuid-guid=HEX              a new card has a CHUID with this GUID of 16 bytes\n"
	"  --management-algorithm=NAME   of a new card: 3des, aes128, aes192, aes256\n"
	"  --scp11-ca=FILE               PEM with key and certificate of a CA, then its issuers': "
	"a\n"
	"                                YubiKey from 5.7.2 on gets a key for secure messaging\n"
	"\n"
	"Trouble (N counts APDUs from 1; each fires once):\n"
	"  --vanish-at=N                 leave the reader in place of doing APDU N\n"
	"  --vanish-after=N              do APDU N and leave the reader before the answer\n"
	"  --reinsert-after-ms=MS        come back, after 700 ms at least so that pcscd sees\n"
	"                                the gap; without it and --control the program ends\n"
	"  --fail-at=N:SW                answer APDU N with a status word, not doing it\n"
	"  --hold-at=N                   do not answer from APDU N on until hold-at is set to 0\n"
	"  --wrong-answer-at=N           garble the response data of APDU N\n"
	"  --latency-apdu-us=US          take longer for each APDU\n"
	"  --latency-byte-us=US          take longer for each byte sent and received\n"
	"  --touch-deny                  nobody touches the card\n"
	"\n"
	"Watching:\n"
	"  --count-file=FILE             keep the number of APDUs so far in this file\n"
	"  --apdu-log=FILE               append a line per APDU: number, header, Lc, status word\n"
	"  --control=SOCKET              take lines: the names under Trouble with a value\n"
	"                                (touch-deny 0|1), count, held, reset-count, remove, "
	"insert;\n"
	"                                each is answered with a number, \"ok\" or \"error: "
	"...\"\n";

_Noreturn static void refuse(const char *name, const struct error *error)
{
	fprintf(stderr, "tessera-vcard: --%s: %s\n", name, error_message(error));
	exit(2);
}

static uint64_t number_or_refuse(const char *name, const char *text, uint64_t maximum)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	uint64_t number = 0;

	if (!knobs_parse_number(text, maximum, &number, &error))
		refuse(name, &error);
	return number;
}

static void refuse_value(const char *name, const char *expected)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	error_set(&error, ERROR_INVALID_ARGUMENT, "expected %s", expected);
	refuse(name, &error);
}

static uint32_t parse_firmware(const char *text)
{
	unsigned major = 0, minor = 0, patch = 0;
	int end = 0;

	if (sscanf(text, "%3u.%3u.%3u%n", &major, &minor, &patch, &end) != 3 || text[end] ||
		major > 255 || minor > 255 || patch > 255)
		refuse_value("firmware", "a version like 5.4.3");
	return VCARD_FIRMWARE(major, minor, patch);
}

static enum vcard_profile parse_profile(const char *text)
{
	bool is_nist = strcmp(text, "nist") == 0;

	if (!is_nist && strcmp(text, "yubikey") != 0)
		refuse_value("profile", "yubikey or nist");
	return is_nist ? VCARD_PROFILE_NIST : VCARD_PROFILE_YUBIKEY;
}

static uint8_t parse_management_algorithm(const char *text)
{
	static const struct {
		const char *name;
		uint8_t id;
	} names[] = {{"3des", ALGORITHM_3DES}, {"aes128", ALGORITHM_AES128},
		{"aes192", ALGORITHM_AES192}, {"aes256", ALGORITHM_AES256}};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].name, text) == 0)
			return names[i].id;
	refuse_value("management-algorithm", "3des, aes128, aes192 or aes256");
	return 0;
}

static const uint8_t *parse_guid(struct options *options, const char *text)
{
	_cleanup_buffer_ struct buffer guid = BUFFER_INIT;

	if (!hex_decode(text, &guid) || guid.length != sizeof(options->guid))
		refuse_value("chuid-guid", "16 bytes of hex");
	memcpy(options->guid, guid.data, sizeof(options->guid));
	return options->guid;
}

static int open_count_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		refuse_value("count-file", strerror(errno));
	return fd;
}

static FILE *open_log(const char *path)
{
	FILE *log = fopen(path, "ae");

	if (!log)
		refuse_value("apdu-log", strerror(errno));
	return log;
}

static void set_knob(struct options *options, const char *name, const char *value)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!knobs_set(&options->card.knobs, name, value, &error))
		refuse(name, &error);
}

/* The options about the card itself. False if it is none of them. */
static bool take_card_option(struct options *options, int option, const char *value)
{
	struct vcard_options *card = &options->card;

	switch (option) {
	case OPTION_STATE:
		card->state_path = value;
		return true;
	case OPTION_BLANK:
		card->blank = true;
		return true;
	case OPTION_SERIAL:
		card->has_serial = true;
		card->serial = (uint32_t)number_or_refuse("serial", value, UINT32_MAX);
		return true;
	case OPTION_FIRMWARE:
		card->firmware = parse_firmware(value);
		return true;
	case OPTION_PROFILE:
		card->profile = parse_profile(value);
		return true;
	case OPTION_ATR:
		card->atr = value;
		return true;
	case OPTION_GUID:
		card->guid = parse_guid(options, value);
		return true;
	case OPTION_MANAGEMENT:
		card->management_algorithm = parse_management_algorithm(value);
		return true;
	case OPTION_SCP11_CA:
		card->scp11_ca = value;
		return true;
	default:
		return false;
	}
}

static void take_option(struct options *options, int option, const char *name, const char *value)
{
	switch (option) {
	case OPTION_HOST:
		options->host = value;
		break;
	case OPTION_PORT:
		options->port = value;
		break;
	case OPTION_KNOB:
		set_knob(options, name, value);
		break;
	case OPTION_TOUCH_DENY:
		options->card.knobs.touch_deny = true;
		break;
	case OPTION_COUNT_FILE:
		options->card.count_fd = open_count_file(value);
		break;
	case OPTION_APDU_LOG:
		options->card.apdu_log = open_log(value);
		break;
	case OPTION_CONTROL:
		options->control_path = value;
		break;
	case OPTION_WAIT:
		options->wait_seconds = (unsigned)number_or_refuse(name, value, 86400);
		break;
	case OPTION_REINSERT:
		options->reinsert_ms = (unsigned)number_or_refuse(name, value, 3600000);
		break;
	case OPTION_REMOVED:
		options->remove_at_start = true;
		break;
	case OPTION_HELP:
		fputs(help, stdout);
		exit(0);
	default: /* getopt has said what is wrong */
		exit(2);
	}
}

void options_parse(struct options *options, int argc, char **argv)
{
	int option, index = 0;

	*options = (struct options){.host = "127.0.0.1", .port = "35963", .wait_seconds = 10};
	while ((option = getopt_long(argc, argv, "", table, &index)) != -1)
		if (!take_card_option(options, option, optarg))
			take_option(options, option, table[index].name, optarg);
	if (optind < argc) {
		fprintf(stderr, "tessera-vcard: unexpected argument: %s\n", argv[optind]);
		exit(2);
	}
	if (options->remove_at_start && !options->control_path)
		refuse_value("removed", "--control with it");
}
