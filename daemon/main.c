/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tesserad: reads the configuration, makes the services, serves until it is told to stop. */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "audit/audit.h"
#include "audit/timer.h"
#include "bus/bus.h"
#include "card/security-domain.h"
#include "common/alloc.h"
#include "common/log.h"
#include "common/secret.h"
#include "connection/memory.h"
#include "core/notify.h"
#include "core/options.h"
#include "core/state-folder.h"
#include "directory/directory.h"
#include "directory/ldap-pool.h"
#include "model/weak-pins.h"
#include "operation/certificates.h"
#include "operation/client-key.h"
#include "operation/connections.h"
#include "operation/contact.h"
#include "operation/expiry.h"
#include "operation/key-restore.h"
#include "operation/login.h"
#include "operation/mails.h"
#include "operation/operators.h"
#include "operation/people-watch.h"
#include "operation/reminders.h"
#include "operation/self.h"
#include "operation/slots.h"
#include "operation/task-alarm.h"
#include "operation/tasks.h"
#include "operation/token-settings.h"
#include "operation/types.h"
#include "operation/vault.h"

/* Exit status of a wrong command line or configuration, as EX_USAGE and EX_CONFIG say. */
#define EXIT_USAGE  64
#define EXIT_CONFIG 78
/* Each thread's own heap would cost memory that the few threads here do not need. */
#define HEAPS_MAX	   2
#define DESCRIPTORS_WANTED 8192
/* How often revocation lists are published, whether something changed or not. */
#define PUBLISH_INTERVAL_MS (60 * 60 * 1000)
/* How often it is looked for cards whose end date has come. */
#define EXPIRE_INTERVAL_MS (30 * 1000)
#define TASKS_INTERVAL_MS  (10 * 1000)
#define PEOPLE_INTERVAL_MS (15 * 60 * 1000) /* whether a look is due, or was cut off */

/* Invariant: what is NULL (lock: below 0) has not been made yet. */
struct manager {
	const char *config_path;
	struct options options;
	int lock;
	uv_loop_t loop;
	uv_signal_t signals[3];
	uv_timer_t watchdog;
	uv_timer_t publishing;
	uv_timer_t expiring;
	uv_timer_t tasks;
	uv_timer_t people;
	struct checkpoint_timer checkpoints;
	struct services services;
	struct bus_options bus_options;
	struct token_settings tokens;
	struct bus *bus;
};

/* --- making the services --- */

/* The unattended mode: the PIN is in a file. Without one the vault stays locked until a login. */
static bool open_unattended(struct manager *manager, struct error *error)
{
	const struct secret none = SECRET_INIT;

	if (vault_is_unattended(&manager->tokens.vault) && vault_has_token(manager->services.vault))
		return vault_open(manager->services.vault, &none, error);
	if (!operators_initialised(&manager->services))
		log_notice("there is no system owner yet: run \"tessera init\"");
	else if (!vault_has_token(manager->services.vault))
		log_error("the token with the master key is gone: put its folder back, or restore "
			  "it (tessera key restore)");
	else
		log_notice("the master key is locked until an owner or custodian logs in");
	return true;
}

/* Without the list only templates that want it are at a loss. */
static struct weak_pins *read_weak_pins(const char *folder)
{
	_cleanup_free_ char *path = xasprintf("%s/weak-pins", folder);
	struct error error _cleanup_error_ = ERROR_INIT;
	struct weak_pins *list = weak_pins_read(path, &error);

	if (!list)
		log_warning("no list of weak PINs: %s", error_message(&error));
	return list;
}

static void load_types(struct manager *manager)
{
	_cleanup_free_ char *folder = xasprintf("%s/types", manager->options.data_dir);

	manager->services.types = card_types_new();
	types_load_shipped(manager->services.types, folder);
	types_load_added(&manager->services);
}

static bool open_state(struct manager *manager, struct error *error)
{
	const struct options *options = &manager->options;
	struct services *services = &manager->services;
	_cleanup_free_ char *database = xasprintf("%s/tessera.db", options->state_dir);

	if (!state_folder_open(options->state_dir, &manager->lock, error))
		return false;
	services->store = store_open(database, error);
	if (!services->store)
		return false;
	services->weak_pins = read_weak_pins(options->data_dir);
	load_types(manager);
	if (options->scp11_ca) {
		services->card_trust = security_domain_trust_load(options->scp11_ca, error);
		if (!services->card_trust)
			return error_prefix(error, "scp11-ca");
	}
	services->licensing =
		(struct licence_settings){.public_key_file = options->licence_public_key_file,
			.activation_url = options->activation_url,
			.activation_ca_file = options->activation_ca_file};
	services->connections.store = services->store;
	services->connections.publish_folder = options->publish_dir;
	services->connections.command_folder = options->command_dir;
	services->connections.http = http_pool_new();
	services->connections.ldap = ldap_pool_new();
	services->connections.open_secret = connection_open_secret;
	services->connections.open_key = client_key_open;
	services->connections.close_key = client_key_close;
	services->connections.secret_context = services;
	services->connections.memory = connection_memory_new();
	services->rotate_at_contact = options->rotate_at_contact;
	services->remote_readers = options->remote_readers;
	services->remote_ownership = options->remote_ownership;
	services->remote_encryption = options->remote_encryption;
	services->open_directory = directory_open;
	services->people_seconds = (int64_t)options->directory_hours * 60 * 60;
	services->task_overdue = (int64_t)options->task_overdue * 60 * 60;
	if (!token_settings_find_pins(&manager->tokens, options, error))
		return false;
	services->vault = vault_new(services, &manager->tokens.vault);
	services->logins = logins_new(services, options->login_timeout * 60);
	services->selves = selves_new(services);
	services->restorer = key_restorer_new(services);
	key_restore_discard(services);
	return open_unattended(manager, error);
}

static bool start_services(struct manager *manager, struct error *error)
{
	struct services *services = &manager->services;

	manager->bus_options = (struct bus_options){.socket = manager->options.socket,
		.use_system_bus = manager->options.use_system_bus,
		.admin_group = manager->options.admin_group};
	manager->bus = bus_new(services, &manager->bus_options, &manager->loop);
	services->listener = (struct services_listener){.overdue = bus_task_overdue,
		.person = bus_person_changed,
		.people_missing = bus_people_missing,
		.context = manager->bus};
	services->jobs = jobs_new(bus_job_changed, manager->bus);
	services->contacts = contacts_new(services, bus_contact_changed, manager->bus);
	const struct vault_token *token = &manager->tokens.vault.token;
	const struct slots_options slots = {.embedded_folder = token->embedded_folder,
		.own_module = token->module,
		.own_label = token->label,
		.token_program = manager->options.token_program};
	services->slots = slots_new(services, &slots, bus_slots_changed, manager->bus);
	return slots_load(services->slots, error) && bus_start(manager->bus, error) &&
	       slots_start(services->slots, error) && contacts_start(services->contacts, error);
}

/* --- the loop --- */

static void stop(uv_signal_t *handle, int number)
{
	log_info("stopping on signal %d", number);
	uv_stop(handle->loop);
}

static void reload(uv_signal_t *handle, int number)
{
	struct manager *manager = handle->data;
	_cleanup_options_ struct options fresh = OPTIONS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)number;
	if (options_read(&fresh, manager->config_path, &error))
		log_set_level(fresh.log_level);
	else
		log_error("log level kept: %s", error_message(&error));
}

static void keep_watchdog_quiet(uv_timer_t *timer)
{
	(void)timer;
	notify_send("WATCHDOG=1");
}

static void start_publishing(uv_timer_t *timer)
{
	struct manager *manager = timer->data;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!certificates_start_publishing(&manager->services, &error))
		log_warning("revocation lists are published later: %s", error_message(&error));
	error_clear(&error);
	if (!reminders_start(&manager->services, &error))
		log_warning(
			"certificates that end are looked for later: %s", error_message(&error));
}

static void start_expiring(uv_timer_t *timer)
{
	struct manager *manager = timer->data;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!expiry_start(&manager->services, &error))
		log_warning("cards expire later: %s", error_message(&error));
}

static void start_tasks(uv_timer_t *timer)
{
	struct manager *manager = timer->data;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!tasks_start(&manager->services, &error))
		log_warning("authorities are asked later: %s", error_message(&error));
	error_clear(&error);
	if (!task_alarms_start(&manager->services, &error))
		log_warning("overdue tasks are said later: %s", error_message(&error));
	error_clear(&error);
	if (!mails_start(&manager->services, &error))
		log_warning("mail is sent later: %s", error_message(&error));
}

static void start_people(uv_timer_t *timer)
{
	struct manager *manager = timer->data;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!people_watch_start(&manager->services, &error))
		log_warning("people are looked up later: %s", error_message(&error));
}

static void start_loop(struct manager *manager)
{
	static const struct {
		int number;
		uv_signal_cb handler;
	} signals[] = {{SIGTERM, stop}, {SIGINT, stop}, {SIGHUP, reload}};
	uint64_t watchdog_ms = notify_watchdog_ms();

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		uv_signal_init(&manager->loop, &manager->signals[i]);
		manager->signals[i].data = manager;
		uv_signal_start(&manager->signals[i], signals[i].handler, signals[i].number);
	}
	uv_timer_init(&manager->loop, &manager->watchdog);
	uv_timer_init(&manager->loop, &manager->publishing);
	manager->publishing.data = manager;
	uv_timer_init(&manager->loop, &manager->expiring);
	manager->expiring.data = manager;
	uv_timer_init(&manager->loop, &manager->tasks);
	manager->tasks.data = manager;
	uv_timer_init(&manager->loop, &manager->people);
	manager->people.data = manager;
	checkpoint_timer_init(&manager->checkpoints, &manager->loop, &manager->services.store,
		&manager->services.token);
	if (watchdog_ms > 0)
		uv_timer_start(&manager->watchdog, keep_watchdog_quiet, watchdog_ms, watchdog_ms);
}

/* Until nothing is left but what does not count; a signal ends a run before that. */
static void run_to_the_end(uv_loop_t *loop)
{
	while (uv_run(loop, UV_RUN_DEFAULT) != 0)
		;
}

/*
 * Ends what start_loop() began and what the doors left to the loop. Signals stay caught: asked
 * again, it goes on stopping, as an operation may be at its last step.
 */
static void finish_loop(struct manager *manager)
{
	for (size_t i = 0; i < ARRAY_SIZE(manager->signals); i++)
		uv_unref((uv_handle_t *)&manager->signals[i]);
	uv_close((uv_handle_t *)&manager->watchdog, NULL);
	uv_close((uv_handle_t *)&manager->publishing, NULL);
	uv_close((uv_handle_t *)&manager->expiring, NULL);
	uv_close((uv_handle_t *)&manager->tasks, NULL);
	uv_close((uv_handle_t *)&manager->people, NULL);
	checkpoint_timer_close(&manager->checkpoints);
	run_to_the_end(&manager->loop);
}

static void close_loop(struct manager *manager)
{
	for (size_t i = 0; i < ARRAY_SIZE(manager->signals); i++) {
		int number = manager->signals[i].signum; /* uv_close() clears it */
		uv_close((uv_handle_t *)&manager->signals[i], NULL);
		signal(number, SIG_IGN);
	}
	run_to_the_end(&manager->loop);
	uv_loop_close(&manager->loop);
}

/* --- life --- */

/* The doors close first, so that nothing new begins; jobs are cancelled and waited for. */
static void manager_stop(struct manager *manager)
{
	struct services *services = &manager->services;

	if (manager->bus)
		bus_stop(manager->bus);
	finish_loop(manager);
	jobs_free(services->jobs);
	slots_free(services->slots);
	contacts_free(services->contacts);
	bus_free(manager->bus);
	checkpoint_at_stop(services->store, services->token);
	key_restorer_free(services->restorer);
	logins_free(services->logins);
	selves_free(services->selves);
	vault_free(services->vault);
	card_types_free(services->types);
	X509_STORE_free(services->card_trust);
	weak_pins_free(services->weak_pins);
	http_pool_free(services->connections.http);
	ldap_pool_free(services->connections.ldap);
	connection_memory_free(services->connections.memory);
	store_close(services->store);
	if (manager->lock >= 0)
		close(manager->lock);
	close_loop(manager);
}

static bool manager_run(struct manager *manager, struct error *error)
{
	if (uv_loop_init(&manager->loop) != 0)
		return error_set(error, ERROR_FAILED, "no event loop can be made");
	start_loop(manager);
	bool started = open_state(manager, error) && start_services(manager, error);
	if (started) {
		log_info("ready state-dir=%s socket=%s", manager->options.state_dir,
			manager->options.socket);
		notify_send("READY=1");
		uv_timer_start(&manager->publishing, start_publishing, 0, PUBLISH_INTERVAL_MS);
		uv_timer_start(&manager->expiring, start_expiring, 0, EXPIRE_INTERVAL_MS);
		uv_timer_start(&manager->tasks, start_tasks, TASKS_INTERVAL_MS, TASKS_INTERVAL_MS);
		uv_timer_start(&manager->people, start_people, 0, PEOPLE_INTERVAL_MS);
		checkpoint_timer_start(&manager->checkpoints);
		uv_run(&manager->loop, UV_RUN_DEFAULT);
		notify_send("STOPPING=1");
	}
	manager_stop(manager);
	return started;
}

/* --- the command line --- */

static const char usage[] =
	"Usage: tesserad [OPTION...]\n"
	"The daemon that owns the cards; see tesserad(8).\n\n"
	"  --config FILE    read this configuration file instead of\n"
	"                   " SYSCONFDIR "/tessera/tesserad.conf\n"
	"  --check-config   read the configuration, say whether it is right, and end\n"
	"  --version        print the version\n"
	"  --help           print this text\n";

struct arguments {
	const char *config;
	bool check_only;
};

/* Answers false when there is nothing more to do; *status is the exit status then. */
static bool parse_arguments(int argc, char **argv, struct arguments *arguments, int *status)
{
	static const struct option long_options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*status = EXIT_SUCCESS;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == 'c') {
			arguments->config = optarg;
		} else if (option == 'k') {
			arguments->check_only = true;
		} else {
			if (option == 'v')
				puts("tesserad " VERSION_STRING);
			else
				fputs(usage, option == 'h' ? stdout : stderr);
			*status = option == '?' ? EXIT_USAGE : EXIT_SUCCESS;
			return false;
		}
	}
	if (optind == argc)
		return true;
	fprintf(stderr, "tesserad: unexpected argument \"%s\"\n", argv[optind]);
	*status = EXIT_USAGE;
	return false;
}

/* Each private connection takes three, and the doors allow hundreds. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void prepare_process(void)
{
	allow_descriptors();
	secret_protect_process();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	mallopt(M_ARENA_MAX, HEAPS_MAX);
}

int main(int argc, char **argv)
{
	struct manager manager = {.lock = -1};
	struct arguments arguments = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	int status;

	if (!parse_arguments(argc, argv, &arguments, &status))
		return status;
	prepare_process();
	manager.config_path = arguments.config;
	if (!options_read(&manager.options, arguments.config, &error) ||
		!token_settings_make(&manager.tokens, &manager.options, &error)) {
		log_error("%s", error_message(&error));
		token_settings_clear(&manager.tokens);
		options_clear(&manager.options);
		return EXIT_CONFIG;
	}
	log_set_level(manager.options.log_level);
	audit_set_syslog(manager.options.audit_syslog);
	status = EXIT_SUCCESS;
	if (arguments.check_only) {
		puts("the configuration is right");
	} else if (!manager_run(&manager, &error)) {
		log_error("cannot start: %s", error_message(&error));
		status = EXIT_FAILURE;
	}
	token_settings_clear(&manager.tokens);
	options_clear(&manager.options);
	return status;
}
