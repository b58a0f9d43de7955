#define _GNU_SOURCE /* dladdr */
#include "fuzz.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_MOST = 60, LOG_BYTES = 1 << 16, PLACES = 64, FAULT_STATUS = 77, LEAKS_EVERY = 64 };

static char folder[64];

/* Nothing written here need outlast a power failure. */
int fsync(int descriptor) { return descriptor < 0 ? -1 : 0; }

static void remove_folder(void) {
  char command[96];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0) (void)fprintf(stderr, "%s stays\n", folder);
}

const char *fuzz_path(const char *name) {
  static char paths[4][128];
  static int next = 0;
  if (folder[0] == '\0') {
    (void)snprintf(folder, sizeof folder, "/tmp/mlpdist-fuzz-XXXXXX");
    FUZZ_ASSERT(mkdtemp(folder) != NULL, "no folder %s", folder);
    (void)atexit(remove_folder);
  }
  next = (next + 1) % 4;
  (void)snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
  return paths[next];
}

const char *fuzz_write(const char *name, const uint8_t *data, size_t size) {
  const char *const path = fuzz_path(name);
  const int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  FUZZ_ASSERT(descriptor >= 0 && write(descriptor, data, size) == (ssize_t)size, "%s cannot be written", path);
  (void)close(descriptor);
  return path;
}

void fuzz_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)fputs("FOUND: ", stderr);
  (void)vfprintf(stderr, format, arguments);
  (void)fputc('\n', stderr);
  va_end(arguments);
  abort();
}

void fuzz_check_message(const char *message, const char *path) {
  FUZZ_ASSERT(strstr(message, path) != NULL, "\"%s\" does not name %s", message, path);
  for (const char *c = message; *c != '\0'; c++)
    FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 127, "\"%s\" is not one line of text", message);
}

/* ---- Runs apart ------------------------------------------------------------------------------------ */

/* libFuzzer's counters of the code instrumented: the linker puts names to the ends of their section. */
extern uint8_t __start___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak, visibility("hidden")));

static size_t counter_bytes(void) { return (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs); }

/* The process that reads files, until it dies of one. */
typedef struct reader {
  pid_t child;                 /* 0: none */
  int requests[2], answers[2]; /* pipes */
  int log_file;                /* its standard error */
  uint8_t *counters;           /* shared with it: what the last run covered */
} reader;

typedef struct fault_place {
  char where[96];
  uint64_t count;
} fault_place;

static fault_place places[PLACES];
static uint64_t runs, faults;

static void tell_faults(void) {
  (void)fprintf(stderr, "library: %llu faults inside of libraries in %llu runs\n", (unsigned long long)faults,
                (unsigned long long)runs);
  for (int i = 0; i < PLACES && places[i].count > 0; i++)
    (void)fprintf(stderr, "library: %8llu in %s\n", (unsigned long long)places[i].count, places[i].where);
}

static void count_fault(const char *where, const char *log) {
  faults++;
  for (int i = 0; i < PLACES; i++) {
    if (places[i].count > 0 && strcmp(places[i].where, where) != 0) continue;
    (void)snprintf(places[i].where, sizeof places[i].where, "%s", where);
    if (places[i].count++ == 0) (void)fprintf(stderr, "the first in %s:\n%s\n", where, log);
    return;
  }
}

/* A signal the sanitizer leaves alone: an abort, or the time is over. */
static void tell_signal(int signal_number) {
  (void)fprintf(stderr, "ERROR: signal %d\n", signal_number);
  __sanitizer_print_stack_trace();
  _exit(FAULT_STATUS);
}

/* Reads the file again for each byte that comes in, and answers with one. */
_Noreturn static void serve(const reader *r, void (*read_file)(const char *path), const char *path) {
  const size_t bytes = counter_bytes();
  char byte = 0;
  (void)dup2(r->log_file, STDERR_FILENO);
  __sanitizer_set_death_callback(NULL); /* libFuzzer's would keep the input of each fault */
  (void)signal(SIGABRT, tell_signal);
  (void)signal(SIGALRM, tell_signal);
  for (uint64_t i = 1; read(r->requests[0], &byte, 1) == 1; i++) {
    memset(__start___sancov_cntrs, 0, bytes);
    (void)alarm(SECONDS_MOST);
    read_file(path);
    (void)alarm(0);
    memcpy(r->counters, __start___sancov_cntrs, bytes);
    /* What HDF5 keeps is not ours: see __lsan_default_suppressions. */
    if (i % LEAKS_EVERY == 0 && __lsan_do_recoverable_leak_check() != 0) _exit(FAULT_STATUS);
    if (write(r->answers[1], &byte, 1) != 1) break;
  }
  _exit(0);
}

/* Whose is the fault? That of the first frame that belongs neither to the sanitizer nor to libc or zlib; sanitizers do
 * not look frames' names up here, which takes a second. The sanitizer is linked in: of this program it alone has names
 * that dladdr sees. False where it is ours. */
static bool is_of_library(const char *log, char where[96]) {
  /* A stack of the fault itself comes first; those of an allocation or a free follow it, warnings come before. After a
   * signal of ours it begins with the sanitizer, tell_signal and libc. */
  const char *at = strstr(log, "ERROR: ");
  int frame = at != NULL && strncmp(at, "ERROR: signal", 13) == 0 ? 2 : 0;
  char mark[16];
  (void)snprintf(mark, sizeof mark, "    #%d ", frame);
  for (at = at != NULL ? strstr(at, mark) : NULL; at != NULL; frame++) {
    (void)snprintf(mark, sizeof mark, "    #%d ", frame);
    if (strncmp(at, mark, strlen(mark)) != 0) return false;
    Dl_info info = {0};
    const uintptr_t address = (uintptr_t)strtoull(at + strlen(mark), NULL, 16);
    const int known = dladdr((const void *)address, &info); /* NOLINT(performance-no-int-to-ptr) */
    const char *const slash = known != 0 && info.dli_fname != NULL ? strrchr(info.dli_fname, '/') : NULL;
    const char *const module = slash != NULL ? slash + 1 : "";
    const bool is_library = strncmp(module, "lib", 3) == 0;
    const bool passed_over = is_library ? strncmp(module, "libc.", 5) == 0 || strncmp(module, "libz.", 5) == 0
                                        : known != 0 && info.dli_sname != NULL;
    if (!passed_over) {
      (void)snprintf(where, 96, "%s, %s", module, known != 0 && info.dli_sname != NULL ? info.dli_sname : "?");
      return is_library;
    }
    at = strchr(at, '\n');
    if (at != NULL) at++;
  }
  return false;
}

/* The process ended with status: by a library's fault, or one of ours. */
static void judge(int status, int log_file, const char *path) {
  static char log[LOG_BYTES];
  const ssize_t length = pread(log_file, log, sizeof log - 1, 0);
  log[length > 0 ? length : 0] = '\0';
  char where[96] = "";
  const bool ours = strstr(log, "FOUND: ") != NULL || strstr(log, "runtime error: ") != NULL;
  if (ours || !is_of_library(log, where)) fuzz_fail("status %d reading %s\n%s", status, path, log);
  count_fault(where, log);
}

static void start(reader *r, void (*read_file)(const char *path), const char *path) {
  if (r->counters == NULL) {
    r->counters = mmap(NULL, counter_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    r->log_file = open(fuzz_path("log"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FUZZ_ASSERT(r->counters != MAP_FAILED && r->log_file >= 0, "no memory or file to share");
    (void)atexit(tell_faults);
  }
  FUZZ_ASSERT(pipe(r->requests) == 0 && pipe(r->answers) == 0, "no pipe");
  (void)fflush(NULL);
  r->child = fork();
  FUZZ_ASSERT(r->child >= 0, "no process to read in");
  const int mine[] = {r->requests[1], r->answers[0]}, others[] = {r->requests[0], r->answers[1]};
  for (int i = 0; i < 2; i++) (void)close(r->child == 0 ? mine[i] : others[i]);
  if (r->child == 0) serve(r, read_file, path);
}

void fuzz_apart(void (*read_file)(const char *path), const char *path) {
  static reader r;
  char byte = 0;
  if (r.child == 0) start(&r, read_file, path);
  runs++;
  memset(r.counters, 0, counter_bytes());
  (void)!ftruncate(r.log_file, 0);
  ssize_t got = write(r.requests[1], &byte, 1);
  if (got == 1) do
      got = read(r.answers[0], &byte, 1);
    while (got < 0 && errno == EINTR); /* libFuzzer's clock ticks by signals */
  for (size_t i = 0; i < counter_bytes(); i++) __start___sancov_cntrs[i] |= r.counters[i];
  if (got == 1) return;
  int status = 0;
  while (waitpid(r.child, &status, 0) < 0) continue;
  r.child = 0;
  (void)close(r.requests[1]);
  (void)close(r.answers[0]);
  judge(status, r.log_file, path);
}
