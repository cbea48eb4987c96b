/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Measures how PKCS#11 modules use one card, side by side in one run: the time
 * and the APDUs from C_Initialize to all objects listed, and of a login with one
 * signature. See --help.
 */
#include <dlfcn.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define MAXIMUM_MODULES	     4
#define MAXIMUM_REPETITIONS  1000
#define MAXIMUM_SLOTS	     64
#define MAXIMUM_OBJECTS	     256
#define MAXIMUM_VALUE_LENGTH 8192

static struct {
	const char *modules[MAXIMUM_MODULES];
	int module_count;
	const char *pin;
	const char *control; /* the virtual card's control socket, which counts APDUs */
	int repetitions;
} options = {.repetitions = 100};

/* What one module cost: per repetition milliseconds, and APDUs of the last one. */
struct cost {
	double milliseconds[MAXIMUM_REPETITIONS];
	long apdus;
};

static _Noreturn void fail(const char *what, unsigned long code)
{
	fprintf(stderr, "card-use: %s failed: 0x%lx\n", what, code);
	exit(EXIT_FAILURE);
}

static void must(CK_RV rv, const char *what)
{
	if (rv != CKR_OK)
		fail(what, rv);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The virtual card's own count: what reached the card, whoever sent it. */
static long apdu_count(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char answer[64] = "";

	if (!options.control)
		return 0;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", options.control);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		write(fd, "count\n", 6) != 6 || read(fd, answer, sizeof(answer) - 1) <= 0)
		fail("the card's control socket", 0);
	close(fd);
	return strtol(answer + strcspn(answer, "0123456789"), NULL, 10);
}

static CK_FUNCTION_LIST *load(const char *path)
{
	CK_FUNCTION_LIST *functions = NULL;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		fprintf(stderr, "card-use: %s\n", dlerror());
		exit(EXIT_FAILURE);
	}
	CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList");
	if (!get)
		fail("C_GetFunctionList", 0);
	must(get(&functions), "C_GetFunctionList");
	return functions;
}

static CK_SESSION_HANDLE open_session(CK_FUNCTION_LIST *p11)
{
	CK_SLOT_ID slots[MAXIMUM_SLOTS];
	CK_ULONG count = MAXIMUM_SLOTS;
	CK_SESSION_HANDLE session;

	must(p11->C_Initialize(NULL), "C_Initialize");
	must(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
	if (count == 0)
		fail("finding a token", 0);
	must(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session),
		"C_OpenSession");
	return session;
}

static CK_ULONG find(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
	CK_ULONG template_count, CK_OBJECT_HANDLE *objects)
{
	CK_ULONG count = 0;

	must(p11->C_FindObjectsInit(session, template, template_count), "C_FindObjectsInit");
	must(p11->C_FindObjects(session, objects, MAXIMUM_OBJECTS, &count), "C_FindObjects");
	must(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	return count;
}

/* Everything a program reads to show a token: class, label and id, and certificates' values. */
static void read_object(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	CK_OBJECT_CLASS class = 0;
	CK_BYTE label[256], id[256], value[MAXIMUM_VALUE_LENGTH];
	CK_ATTRIBUTE basics[] = {{CKA_CLASS, &class, sizeof(class)},
		{CKA_LABEL, label, sizeof(label)}, {CKA_ID, id, sizeof(id)}};
	CK_ATTRIBUTE certificate = {CKA_VALUE, value, sizeof(value)};

	CK_RV rv = p11->C_GetAttributeValue(session, object, basics, 3);
	/* A data object has no CKA_ID; the others are read all the same. */
	if (rv != CKR_ATTRIBUTE_TYPE_INVALID)
		must(rv, "C_GetAttributeValue");
	if (class == CKO_CERTIFICATE)
		must(p11->C_GetAttributeValue(session, object, &certificate, 1),
			"C_GetAttributeValue of a certificate");
}

static void measure_listing(CK_FUNCTION_LIST *p11, struct cost *cost, int repetition)
{
	CK_OBJECT_HANDLE objects[MAXIMUM_OBJECTS];
	long apdus = apdu_count();
	double start = now_ms();

	CK_SESSION_HANDLE session = open_session(p11);
	CK_ULONG count = find(p11, session, NULL, 0, objects);
	for (CK_ULONG i = 0; i < count; i++)
		read_object(p11, session, objects[i]);
	cost->milliseconds[repetition] = now_ms() - start;
	cost->apdus = apdu_count() - apdus;
	if (count == 0)
		fail("finding objects", 0);
	must(p11->C_Finalize(NULL), "C_Finalize");
}

static void measure_signature(CK_FUNCTION_LIST *p11, struct cost *cost, int repetition)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_BYTE id = 1, digest[51] = {0}, signature[512];
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, &id, 1}};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	CK_OBJECT_HANDLE keys[MAXIMUM_OBJECTS];
	CK_ULONG length = sizeof(signature);
	CK_SESSION_HANDLE session = open_session(p11);

	/* Not an answer cache: every signature is over other data. */
	memcpy(digest, &repetition, sizeof(repetition));
	find(p11, session, NULL, 0, keys);
	long apdus = apdu_count();
	double start = now_ms();
	must(p11->C_Login(session, CKU_USER, (CK_BYTE *)options.pin, strlen(options.pin)),
		"C_Login");
	if (find(p11, session, template, 2, keys) != 1)
		fail("finding the authentication key", 0);
	must(p11->C_SignInit(session, &mechanism, keys[0]), "C_SignInit");
	must(p11->C_Sign(session, digest, sizeof(digest), signature, &length), "C_Sign");
	cost->milliseconds[repetition] = now_ms() - start;
	cost->apdus = apdu_count() - apdus;
	must(p11->C_Finalize(NULL), "C_Finalize");
}

static int compare(const void *one, const void *other)
{
	double difference = *(const double *)one - *(const double *)other;

	return difference < 0 ? -1 : difference > 0;
}

static double median(struct cost *cost)
{
	qsort(cost->milliseconds, (size_t)options.repetitions, sizeof(double), compare);
	return cost->milliseconds[options.repetitions / 2];
}

static void compare_modules(const char *title, CK_FUNCTION_LIST **modules,
	void (*measure)(CK_FUNCTION_LIST *, struct cost *, int))
{
	double first = 0;

	printf("%s\n", title);
	for (int i = 0; i < options.module_count; i++) {
		struct cost *cost = calloc(1, sizeof(*cost));
		const char *name = strrchr(options.modules[i], '/');
		if (!cost)
			fail("memory", 0);
		for (int repetition = 0; repetition < options.repetitions; repetition++)
			measure(modules[i], cost, repetition);
		double result = median(cost);
		if (i == 0)
			first = result;
		printf("  %-24s %9.3f ms %6ld APDUs   %6.1f x\n",
			name ? name + 1 : options.modules[i], result, cost->apdus, result / first);
		free(cost);
	}
}

static void usage(void)
{
	puts("Usage: card-use --pin PIN [--control SOCKET] [--repetitions N] MODULE...\n"
	     "Measures up to four PKCS#11 modules on the card in the first reader, in one run:\n"
	     "median milliseconds, APDUs that reached the card, and the ratio to the first "
	     "module.\n"
	     "  --pin PIN          the card's PIN\n"
	     "  --control SOCKET   control socket of the virtual card, for the count of APDUs\n"
	     "  --repetitions N    1 to 1000, default 100");
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {{"pin", required_argument, NULL, 'p'},
		{"control", required_argument, NULL, 'c'},
		{"repetitions", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'},
		{0}};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'p')
			options.pin = optarg;
		else if (option == 'c')
			options.control = optarg;
		else if (option == 'r')
			options.repetitions = atoi(optarg);
		else {
			usage();
			exit(option == 'h' ? EXIT_SUCCESS : 2);
		}
	}
	options.module_count = argc - optind;
	if (!options.pin || options.module_count < 1 || options.module_count > MAXIMUM_MODULES ||
		options.repetitions < 1 || options.repetitions > MAXIMUM_REPETITIONS) {
		usage();
		exit(2);
	}
	memcpy(options.modules, argv + optind, (size_t)options.module_count * sizeof(char *));
}

int main(int argc, char **argv)
{
	CK_FUNCTION_LIST *modules[MAXIMUM_MODULES];

	parse(argc, argv);
	for (int i = 0; i < options.module_count; i++)
		modules[i] = load(options.modules[i]);
	compare_modules("C_Initialize to all objects listed, median", modules, measure_listing);
	compare_modules("login and one RSA-2048 signature, median", modules, measure_signature);
	return EXIT_SUCCESS;
}
