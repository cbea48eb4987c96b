/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects on their way from the process of a slot's module, which may be hostile. */
#include "token/hsm-sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"
#include "token/hsm-wire.h"

#define MESSAGES_MAX 64

/* What was sent. */
struct messages {
	struct buffer items[MESSAGES_MAX];
	size_t count;
};

static void messages_clear(struct messages *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		buffer_clear(&messages->items[i]);
	messages->count = 0;
}
#define _cleanup_messages_ _cleanup_(messages_clear)

static bool keep(void *context, struct buffer *message)
{
	struct messages *messages = context;

	assert_true(messages->count < MESSAGES_MAX);
	buffer_append(&messages->items[messages->count++], message->data, message->length);
	return true;
}

static void add_attribute(
	struct hsm_object *object, CK_ATTRIBUTE_TYPE type, const void *value, size_t length)
{
	object->attributes[object->attribute_count++] =
		(struct hsm_attribute){type, object->values.length, length};
	buffer_append(&object->values, value, length);
}

static struct hsm_object *make_object(uint32_t number, const char *label, size_t size)
{
	struct hsm_object *object = xnew(struct hsm_object);
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;

	buffer_fill(&value, (uint8_t)number, size);
	object->references = 1;
	object->number = number;
	object->attributes = xcalloc(4, sizeof(*object->attributes));
	add_attribute(object, CKA_CLASS, &class, sizeof(class));
	add_attribute(object, CKA_PRIVATE, &yes, sizeof(yes));
	add_attribute(object, CKA_LABEL, label, strlen(label));
	add_attribute(object, CKA_VALUE, value.data, size);
	hsm_object_describe(object);
	return object;
}

/* Objects of the numbers in a text, "1 2 7"; "5x" is one that has another label. */
static struct hsm_objects *make_list(const char *numbers, size_t size)
{
	struct hsm_objects *list = hsm_objects_new();
	char *end;

	list->items = xcalloc(strlen(numbers) + 1, sizeof(*list->items));
	while (*numbers) {
		uint32_t number = (uint32_t)strtoul(numbers, &end, 10);
		list->items[list->count++] =
			make_object(number, *end == 'x' ? "changed" : "label", size);
		numbers = end + (*end == 'x');
		numbers += strspn(numbers, " ");
	}
	return list;
}

static bool read_all(struct sync_reader *reader, const struct messages *messages)
{
	bool done = false;

	sync_begin(reader);
	for (size_t i = 0; i < messages->count; i++) {
		if (done || !sync_read(reader, reader_of(&messages->items[i]), &done))
			return false;
	}
	return done;
}

static void expect_same(const struct hsm_objects *one, const struct hsm_objects *other)
{
	assert_int_equal(one->count, other->count);
	for (size_t i = 0; i < one->count; i++) {
		assert_int_equal(one->items[i]->number, other->items[i]->number);
		assert_true(hsm_object_is_same(one->items[i], other->items[i]));
		assert_string_equal(one->items[i]->label, other->items[i]->label);
		assert_int_equal(one->items[i]->object_class, CKO_DATA);
		assert_true(one->items[i]->is_private);
	}
}

static struct hsm_facts make_facts(void)
{
	struct hsm_facts facts = {.mechanism_count = 2};

	memset(&facts.info, 'i', sizeof(facts.info));
	facts.mechanisms[1] = (struct hsm_mechanism){CKM_ECDSA, {256, 521, CKF_SIGN}};
	return facts;
}

static void a_whole_list_arrives(void **state)
{
	static const struct {
		const char *numbers;
		size_t size;
	} cases[] = {{"", 1}, {"1", 0}, {"3 4 17 1000", 50000}, {"1 2 3 4 5 6 7 8 9 10", 60000}};
	const struct hsm_facts facts = make_facts();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_hsm_objects_ struct hsm_objects *list =
			make_list(cases[i].numbers, cases[i].size);
		_cleanup_messages_ struct messages messages = {0};
		struct hsm_facts got = {0};
		struct sync_reader reader _cleanup_(sync_clear) = {
			.first = 1, .last = 2000, .facts = &got};
		const struct sync_head head = {.is_whole = true, .serial = 77, .facts = &facts};
		assert_true(sync_write(&head, NULL, list, keep, &messages));
		assert_true(read_all(&reader, &messages));
		expect_same(list, reader.fresh);
		assert_int_equal(reader.serial, 77);
		assert_memory_equal(&got.info, &facts.info, sizeof(got.info));
		assert_int_equal(got.mechanism_count, 2);
		assert_int_equal(got.mechanisms[1].info.ulMaxKeySize, 521);
	}
}

static void what_has_become_different_is_enough(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {{"", "1"}, {"1", ""}, {"1 2 3", "1 2 3"}, {"1 2 3", "1 3"}, {"1 2 3", "4"},
		{"1 2 3", "1 2x 3"}, {"2 4", "1 2 3 4 5"}, {"1 2 3 9", "2x 3 10 11"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_hsm_objects_ struct hsm_objects *before = make_list(cases[i].before, 100);
		_cleanup_hsm_objects_ struct hsm_objects *after = make_list(cases[i].after, 100);
		_cleanup_messages_ struct messages messages = {0};
		struct sync_reader reader _cleanup_(sync_clear) = {
			.old = before, .first = 1, .last = 2000};
		const struct sync_head head = {.serial = 2};
		assert_true(sync_write(&head, before, after, keep, &messages));
		assert_true(read_all(&reader, &messages));
		expect_same(after, reader.fresh);
	}
}

static void one_object_of_many_costs_little(void **state)
{
	_cleanup_hsm_objects_ struct hsm_objects *before = make_list("1 2 3 4 5 6 7 8", 10000);
	_cleanup_hsm_objects_ struct hsm_objects *after = make_list("1 2 3 4 5 6 7 8 9", 10000);
	_cleanup_messages_ struct messages messages = {0};
	const struct sync_head head = {.serial = 2};

	(void)state;
	assert_true(sync_write(&head, before, after, keep, &messages));
	assert_int_equal(messages.count, 1);
	assert_in_range(messages.items[0].length, 10000, 10200);
}

/* --- what no honest process says --- */

static bool reads(const char *numbers, const char *before, uint32_t first, uint32_t last)
{
	_cleanup_hsm_objects_ struct hsm_objects *list = make_list(numbers, 10);
	_cleanup_hsm_objects_ struct hsm_objects *old = before ? make_list(before, 10) : NULL;
	_cleanup_messages_ struct messages messages = {0};
	struct sync_reader reader _cleanup_(sync_clear) = {
		.old = old, .first = first, .last = last};
	const struct sync_head head = {.is_whole = before == NULL, .serial = 1};

	assert_true(sync_write(&head, old, list, keep, &messages));
	return read_all(&reader, &messages);
}

static void numbers_that_cannot_be_are_refused(void **state)
{
	(void)state;
	assert_true(reads("1 2", NULL, 1, 2));
	assert_false(reads("1 3", NULL, 1, 2));
	assert_false(reads("1 2", NULL, 2, 3));
	assert_false(reads("2 1", NULL, 1, 3));
	assert_false(reads("1 1", NULL, 1, 3));
	assert_false(reads("0", NULL, 0, 3));
}

static bool reads_bytes(const uint8_t *bytes, size_t length, const struct hsm_objects *old)
{
	struct sync_reader reader _cleanup_(sync_clear) = {.old = old, .first = 1, .last = 9};
	bool done;

	sync_begin(&reader);
	return sync_read(&reader, (struct reader)READER_INIT(bytes, length), &done) && done;
}

static void messages_that_make_no_sense_are_refused(void **state)
{
	/* whole, serial, no facts; then records */
	static const uint8_t end[] = {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3};
	static const uint8_t gone[] = {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 1, 3};
	static const uint8_t part[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3};
	static const uint8_t facts[] = {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 3};
	static const uint8_t more[] = {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3};
	static const uint8_t kind[] = {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9, 3};
	static const uint8_t many[] = {
		1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 3};

	(void)state;
	assert_true(reads_bytes(end, sizeof(end), NULL));
	for (size_t i = 0; i < sizeof(end); i++)
		assert_false(reads_bytes(end, i, NULL));
	assert_false(reads_bytes(gone, sizeof(gone), NULL));
	assert_false(reads_bytes(part, sizeof(part), NULL));
	assert_false(reads_bytes(facts, sizeof(facts), NULL));
	assert_false(reads_bytes(more, sizeof(more), NULL));
	assert_false(reads_bytes(kind, sizeof(kind), NULL));
	assert_false(reads_bytes(many, sizeof(many), NULL));
}

/* A number that is the same in each run. */
static uint32_t next_random(void)
{
	static uint32_t number = 12345;

	number = number * 1664525 + 1013904223;
	return number >> 8;
}

static void spoil(struct buffer *message)
{
	uint32_t times = 1 + next_random() % 4;

	for (uint32_t i = 0; i < times; i++)
		message->data[next_random() % message->length] = (uint8_t)next_random();
	if (next_random() % 4 == 0)
		buffer_truncate(message, next_random() % message->length + 1);
}

/* Nothing to assert: what is read is read within the message, which a sanitizer sees. */
static void no_bytes_do_harm(void **state)
{
	_cleanup_hsm_objects_ struct hsm_objects *old = make_list("1 2 3 5", 30);
	_cleanup_hsm_objects_ struct hsm_objects *list = make_list("1 2x 4 5 6", 30);
	const struct hsm_facts facts = make_facts();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		_cleanup_messages_ struct messages messages = {0};
		struct hsm_facts got;
		struct sync_reader reader _cleanup_(sync_clear) = {
			.old = old, .first = 1, .last = 9, .facts = &got};
		const struct sync_head head = {.is_whole = i % 2, .serial = 1, .facts = &facts};
		sync_write(&head, i % 2 ? NULL : old, list, keep, &messages);
		spoil(&messages.items[0]);
		read_all(&reader, &messages);
	}
}

static void no_outcome_does_harm(void **state)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;

	(void)state;
	buffer_fill(&output, 7, 100);
	for (int i = 0; i < 20000; i++) {
		_cleanup_buffer_ struct buffer message = BUFFER_INIT;
		_cleanup_buffer_ struct buffer got = BUFFER_INIT;
		_cleanup_error_ struct error failure = ERROR_INIT;
		struct error sent = {.code = ERROR_PIN_WRONG, .message = (char *)"\x1b[2J \xff"};
		struct wire_outcome outcome = {.done = i % 2, .reply = {.output = &output}};
		wire_put_outcome(&message, &outcome, &sent);
		spoil(&message);
		outcome.reply.output = &got;
		if (!wire_get_outcome(reader_of(&message), &outcome, &failure) || outcome.done)
			continue;
		assert_true(failure.code > ERROR_NONE && failure.code < ERROR_CODE_COUNT);
		for (const char *c = error_message(&failure); *c; c++)
			assert_in_range(*c, ' ', '~');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_list_arrives),
		cmocka_unit_test(what_has_become_different_is_enough),
		cmocka_unit_test(one_object_of_many_costs_little),
		cmocka_unit_test(numbers_that_cannot_be_are_refused),
		cmocka_unit_test(messages_that_make_no_sense_are_refused),
		cmocka_unit_test(no_bytes_do_harm),
		cmocka_unit_test(no_outcome_does_harm),
	};

	return cmocka_run_group_tests_name("token/hsm-sync", tests, NULL, NULL);
}
