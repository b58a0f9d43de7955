#include "base/file_leftover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file_output.h"

enum {
  NAME_BYTES = 200, /* of the output's name in that of its temporary file: file systems allow 255 in all */
  SPACE_DIGITS = 8,
  RANDOM_DIGITS = 16,
};

static const char middle[] = ".tmp.";
static const double elsewhere_seconds = 86400; /* an unfinished write changes its file more often than that */

/* FNV-1a. */
static uint32_t hash_text(uint32_t hash, const char *text) {
  for (const char *c = text; *c != '\0'; c++) hash = (hash ^ (unsigned char)*c) * 16777619U;
  return hash;
}

uint32_t file_process_space(void) {
  char host[256] = "", boot[64] = "", space[64] = "";
  (void)gethostname(host, sizeof host - 1);
  const int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0 && read(descriptor, boot, sizeof boot - 1) < 0) boot[0] = '\0';
  if (descriptor >= 0) (void)close(descriptor);
  if (readlink("/proc/self/ns/pid", space, sizeof space - 1) < 0) space[0] = '\0'; /* "pid:[4026531836]" */
  return hash_text(hash_text(hash_text(2166136261U, host), boot), space);
}

static uint64_t random_number(void) {
  uint64_t number = 0;
  const int descriptor = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  const bool had = descriptor >= 0 && read(descriptor, &number, sizeof number) == (ssize_t)sizeof number;
  if (descriptor >= 0) (void)close(descriptor);
  if (had) return number;
  struct timespec now; /* O_EXCL keeps it safe: the name is only not a new one each time */
  (void)clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15U ^ (uint64_t)now.tv_sec;
}

mlpd_status file_temporary_name(char temporary[FILE_PATH_BYTES], const char *target) {
  const char *const slash = strrchr(target, '/');
  const char *const name = slash != NULL ? slash + 1 : target;
  const size_t length = strlen(name) < NAME_BYTES ? strlen(name) : NAME_BYTES;
  const int written =
      snprintf(temporary, FILE_PATH_BYTES, "%.*s%s%ld.%08" PRIx32 "%016" PRIx64, (int)(name - target + (long)length),
               target, middle, (long)getpid(), file_process_space(), random_number());
  if (written < 0 || written >= FILE_PATH_BYTES) return FAIL(MLPD_ERROR_USAGE, "the path %s is too long", target);
  return MLPD_OK;
}

typedef struct temporary_name {
  char name[NAME_BYTES + 1]; /* of the output, as far as it is kept */
  long process;
  uint32_t space;
  bool has_space; /* former versions left NAME.tmp.PROCESS */
} temporary_name;

static bool parse_temporary(const char *entry, temporary_name *t) {
  const char *at = NULL;
  for (const char *next = strstr(entry, middle); next != NULL; next = strstr(next + 1, middle)) at = next;
  if (at == NULL || at == entry || at - entry > NAME_BYTES) return false;
  *t = (temporary_name){.has_space = false};
  memcpy(t->name, entry, (size_t)(at - entry));
  char *end = NULL;
  at += sizeof middle - 1;
  t->process = strtol(at, &end, 10);
  if (*at < '1' || *at > '9' || t->process > INT_MAX) return false;
  if (*end == '\0') return true;
  if (*end != '.' || strspn(end + 1, "0123456789abcdef") != SPACE_DIGITS + RANDOM_DIGITS ||
      end[1 + SPACE_DIGITS + RANDOM_DIGITS] != '\0')
    return false;
  char digits[SPACE_DIGITS + 1];
  (void)snprintf(digits, sizeof digits, "%.*s", SPACE_DIGITS, end + 1);
  t->space = (uint32_t)strtoul(digits, NULL, 16);
  t->has_space = true;
  return true;
}

/* Has the process that wrote it ended? A process with our own number has: we have written nothing yet, and a
 * restarted container counts processes from the same number. */
static bool is_abandoned(const temporary_name *t, const struct stat *about) {
  if (t->has_space && t->space != file_process_space())
    return difftime(time(NULL), about->st_mtime) > elsewhere_seconds;
  return t->process == getpid() || (kill((pid_t)t->process, 0) != 0 && errno == ESRCH);
}

void file_remove_leftovers(const char *folder, const char *name, bool (*ours)(const char *name)) {
  DIR *const listing = opendir(folder);
  if (listing == NULL) return;
  for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
    char path[FILE_PATH_BYTES];
    temporary_name t;
    struct stat about;
    if (!parse_temporary(entry->d_name, &t)) continue;
    if (name != NULL ? strncmp(name, t.name, NAME_BYTES) != 0 : !ours(t.name)) continue;
    if (file_path(path, folder, entry->d_name) == MLPD_OK && lstat(path, &about) == 0 && S_ISREG(about.st_mode) &&
        is_abandoned(&t, &about))
      (void)unlink(path);
  }
  (void)closedir(listing);
}
