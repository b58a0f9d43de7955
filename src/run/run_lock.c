#define _GNU_SOURCE /* F_OFD_SETLK */
#include "run/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file_leftover.h"

enum { MOST_TRIES = 10, HOST_BYTES = 256 };

static const char lock_name[] = "run.lock";
static const char head[] = "mlpdist run on ", taking_over_mark[] = ", taking over";
static const char space_head[] = "\nprocesses "; /* second line: the file_process_space() of the process number */

typedef enum held { HELD_BY_US, HELD_BY_OTHER, LOCKS_UNKNOWN } held;

static held lock_descriptor(int descriptor) {
  /* A lock of the open file, not of the process: it also excludes another run in this process. */
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(descriptor, F_OFD_SETLK, &whole) == 0) return HELD_BY_US;
  return errno == EAGAIN || errno == EACCES ? HELD_BY_OTHER : LOCKS_UNKNOWN;
}

/* Does the process number of the text mean something here? Former versions did not say: they compared the host's name.
 */
static bool counts_here(const char *text) {
  const char *const space = strstr(text, space_head);
  return space == NULL || strtoul(space + sizeof space_head - 1, NULL, 16) == file_process_space();
}

/* The first line of the file after its head; "" if the file is empty, NULL if it is not a lock file. *here: its process
 * number means something here. */
static const char *read_lock(int descriptor, char text[RUN_LOCK_TEXT_BYTES], bool *here) {
  const ssize_t length = pread(descriptor, text, RUN_LOCK_TEXT_BYTES - 1, 0);
  text[length > 0 ? length : 0] = '\0';
  *here = counts_here(text);
  text[strcspn(text, "\n")] = '\0';
  if (text[0] == '\0') return text;
  return strncmp(text, head, sizeof head - 1) == 0 ? text + sizeof head - 1 : NULL;
}

/* Does the text name a process of this host that has ended? */
static bool is_dead(const char *text) {
  char here[HOST_BYTES] = "", host[HOST_BYTES];
  long process = 0;
  (void)gethostname(here, sizeof here - 1);
  if (sscanf(text, "host %255[^,], process %ld", host, &process) != 2 || strcmp(host, here) != 0) return false;
  return process > 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

static mlpd_status refuse(const run_lock *lock, const char *by, bool certain) {
  if (by[0] == '\0') by = "another process";
  if (certain)
    return FAIL(MLPD_ERROR_FILE, "%s: another run is writing into this folder (%s); use another --out, or end that run",
                lock->folder, by);
  return FAIL(MLPD_ERROR_FILE,
              "%s: another run is writing into this folder (%s), as far as a file system without locks can tell; use "
              "another --out, or remove %s if that run has ended",
              lock->folder, by, lock->path);
}

/* Locks the open file if the path still names it; else sets *again. */
static mlpd_status lock_opened(run_lock *lock, int descriptor, bool *again) {
  char text[RUN_LOCK_TEXT_BYTES];
  struct stat about;
  const held how = lock_descriptor(descriptor);
  const file_identity now = file_identify(lock->path);
  const file_identity opened = fstat(descriptor, &about) == 0
                                   ? (file_identity){.device = about.st_dev, .inode = about.st_ino, .known = true}
                                   : (file_identity){.known = false};
  *again = !file_identities_equal(&now, &opened); /* its run has ended and has removed it */
  if (*again) return MLPD_OK;
  bool here = false;
  const char *const says = read_lock(descriptor, text, &here);
  if (says == NULL)
    return FAIL(MLPD_ERROR_FILE, "%s is not a lock of mlpdist; move it away or use another --out", lock->path);
  if (how == HELD_BY_OTHER) return refuse(lock, says, true);
  if (how == LOCKS_UNKNOWN && says[0] != '\0' && !(here && is_dead(says))) return refuse(lock, says, false);
  char *const mark = strstr(text, taking_over_mark);
  lock->former_took_over = mark != NULL;
  if (mark != NULL) *mark = '\0';
  (void)snprintf(lock->former, sizeof lock->former, "%s", says);
  return MLPD_OK;
}

mlpd_status run_lock_take(const char *folder, run_lock *lock) {
  *lock = (run_lock){.held = false};
  (void)snprintf(lock->folder, sizeof lock->folder, "%s", folder);
  TRY(file_path(lock->path, folder, lock_name));
  lock->place = file_identify(folder);
  bool again = true;
  for (int tries = 0; again && tries < MOST_TRIES; tries++) {
    const int descriptor = open(lock->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (descriptor < 0)
      return FAIL(MLPD_ERROR_FILE, "%s: cannot write in this folder: %s: %s", folder, lock_name, strerror(errno));
    const mlpd_status status = lock_opened(lock, descriptor, &again);
    lock->held = status == MLPD_OK && !again;
    lock->descriptor = descriptor;
    lock->place_opened = lock->held ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (!lock->held) (void)close(descriptor);
    TRY(status);
  }
  if (again) return refuse(lock, "", true);
  const mlpd_status status = run_lock_note(lock, lock->former_took_over);
  if (status != MLPD_OK) run_lock_release(lock);
  return status;
}

mlpd_status run_lock_note(const run_lock *lock, bool taking_over) {
  char host[HOST_BYTES] = "", when[64] = "", text[RUN_LOCK_TEXT_BYTES];
  struct tm parts;
  const time_t now = time(NULL);
  (void)gethostname(host, sizeof host - 1);
  (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S %z", localtime_r(&now, &parts));
  const int length =
      snprintf(text, sizeof text, "%shost %s, process %ld, since %s%s%s%08x\n", head, host, (long)getpid(), when,
               taking_over ? taking_over_mark : "", space_head, file_process_space());
  const bool written =
      pwrite(lock->descriptor, text, (size_t)length, 0) == length && ftruncate(lock->descriptor, length) == 0;
  return written ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "%s: %s", lock->path, strerror(errno));
}

mlpd_status run_lock_check(const run_lock *lock) {
  const file_identity now = file_identify(lock->folder);
  if (file_identities_equal(&now, &lock->place)) return MLPD_OK;
  return FAIL(MLPD_ERROR_FILE, "%s: the run folder was removed or renamed during the run", lock->folder);
}

/* Removes the file while it is locked, and only if it is still the locked one. */
void run_lock_release(run_lock *lock) {
  struct stat named, opened;
  if (!lock->held) return;
  if (fstatat(lock->place_opened, lock_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      fstat(lock->descriptor, &opened) == 0 && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino)
    (void)unlinkat(lock->place_opened, lock_name, 0);
  (void)close(lock->descriptor);
  if (lock->place_opened >= 0) (void)close(lock->place_opened);
  *lock = (run_lock){.held = false};
}
