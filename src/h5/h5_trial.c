#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5/h5_internal.h"

#if defined __SANITIZE_ADDRESS__
#define HAVE_ADDRESS_SANITIZER 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define HAVE_ADDRESS_SANITIZER 1
#endif
#endif

enum {
  CPU_SECONDS_LEAST = 2, /* plus one for each MEGABYTES_A_SECOND of the file, up to CPU_SECONDS_MOST */
  CPU_SECONDS_MOST = 60,
  MEGABYTES_A_SECOND = 4,
  WALL_FACTOR = 10,           /* wall time allowed per CPU time: the machine or the file system may be busy */
  FIXED_TEXTS_READ = 1 << 20, /* a longer array of fixed-length texts holds the labels of rows and is stored as plainly
                               * as numbers are */
};
static const uint64_t MEMORY_MOST = (uint64_t)1 << 30; /* bytes the child may allocate, plus the size of the file */

/* ---- In the child ------------------------------------------------------------------------------------ */

/* The child's answer: one byte, or none if it dies. */
typedef enum answer { ANSWER_READ = 'r', ANSWER_MEMORY = 'm' } answer;

/* Failures other than crashes are left to the actual reading, which names the object and the cause. A lack of memory is
 * recorded: the actual reading has no memory limit and might not notice it. */
static void note_failure(bool failed) {
  if (failed) (void)h5_reason();
}

static herr_t try_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
  (void)info, (void)context;
  const hid_t id = H5Aopen(object, name, H5P_DEFAULT);
  note_failure(id < 0);
  if (id < 0) return 0;
  const hid_t type = H5Aget_type(id), space = H5Aget_space(id);
  const hssize_t points = H5Sget_simple_extent_npoints(space);
  const size_t size = type >= 0 ? H5Tget_size(type) : 0;
  void *value = NULL;
  if (points > 0 && size > 0 && (uint64_t)points <= MEMORY_MOST / size) value = calloc((size_t)points, size);
  if (value != NULL) {
    const herr_t got = H5Aread(id, type, value);
    note_failure(got < 0);
    if (got >= 0) (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
  }
  free(value);
  h5_id_close(space);
  h5_id_close(type);
  h5_id_close(id);
  return 0;
}

static mlpd_status pass_over(void *context, uint64_t row, const char *text, size_t length) {
  (void)context, (void)row, (void)text, (void)length;
  return MLPD_OK;
}

static bool is_worth_reading(const h5_array *array) {
  const hid_t type = H5Dget_type(array->id);
  const bool varying = H5Tis_variable_str(type) > 0;
  h5_id_close(type);
  return varying || array->shape.rows <= FIXED_TEXTS_READ;
}

/* Reads texts, because those of varying length lie in HDF5's heap. For numbers, reads only the index of chunks. */
static void try_array(h5_file *file, const char *object) {
  h5_array *array = NULL;
  char **texts = NULL;
  uint64_t count = 0;
  if (h5_labels_open(file, object, &array) == MLPD_OK) {
    note_failure(H5Dget_storage_size(array->id) == 0); /* walks through the index of chunks */
    if (array->shape.text && array->shape.columns == 1 && is_worth_reading(array))
      (void)h5_array_read_texts(array, 0, array->shape.rows, pass_over, NULL);
    h5_array_close(array);
  } else if (h5_strings_read(file, object, &texts, &count) == MLPD_OK) { /* a single text has no rows */
    h5_strings_free(texts, count);
  }
}

static herr_t try_object(hid_t root, const char *name, const h5_object_info *info, void *context) {
  h5_file *const file = context;
  hsize_t at = 0;
  note_failure(
      H5Aiterate_by_name(root, name, H5_INDEX_NAME, H5_ITER_NATIVE, &at, try_attribute, NULL, file->link_access) < 0);
  if (info->type == H5O_TYPE_DATASET) try_array(file, name);
  return 0;
}

static mlpd_status pass_link(void *context, const char *object, const char *described) {
  (void)context, (void)object, (void)described;
  return MLPD_OK;
}

static mlpd_status open_untried(const char *path, h5_image image, h5_file **file) {
  return image.bytes != NULL ? h5_open_image_untried(path, image, file)
                             : h5_open_untried(path, &(h5_opening){.known = NULL}, file);
}

static answer try_file(const char *path, h5_image image) {
  h5_file *file = NULL;
  if (open_untried(path, image, &file) == MLPD_OK) {
    note_failure(H5_VISIT_OBJECTS(file->id, H5_INDEX_NAME, H5_ITER_INC, try_object, file, H5O_INFO_BASIC) < 0);
    (void)h5_visit_links(file, pass_link, NULL);
    (void)h5_close(file);
  }
  return h5_lacked_memory() ? ANSWER_MEMORY : ANSWER_READ;
}

/* What the child may have in memory: the parent's memory and what a sound file of this size may need. */
static rlim_t memory_most(uint64_t file_bytes) {
#ifdef HAVE_ADDRESS_SANITIZER /* it reserves terabytes */
  (void)file_bytes;
  return RLIM_INFINITY;
#else
  unsigned long long pages = 0;
  FILE *const statm = fopen("/proc/self/statm", "r");
  const bool known = statm != NULL && fscanf(statm, "%llu", &pages) == 1;
  if (statm != NULL) (void)fclose(statm);
  return known ? pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_MOST + file_bytes : RLIM_INFINITY;
#endif
}

/* Does the limit of this process (ulimit -v) leave it less than that? Then a failure does not tell of the file. */
static bool is_limited(uint64_t file_bytes) {
  struct rlimit own;
  return getrlimit(RLIMIT_AS, &own) == 0 && own.rlim_cur != RLIM_INFINITY && own.rlim_cur < memory_most(file_bytes);
}

/* Cuts the child off from the parent's reactions to a crash: no signal handlers of MPI, no core file, no output. */
static void set_apart(unsigned seconds, uint64_t file_bytes) {
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGALRM, SIGXCPU, SIGSYS};
  static const int others[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}; /* meant for the parent */
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) (void)signal(deadly[i], SIG_DFL);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) (void)signal(others[i], SIG_IGN);
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  (void)setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds + 1});
  (void)alarm(seconds * WALL_FACTOR);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) (void)dup2(nowhere, STDERR_FILENO);
  const rlim_t most = memory_most(file_bytes);
  if (most != RLIM_INFINITY) (void)setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
}

_Noreturn static void serve(const char *path, h5_image image, unsigned seconds, uint64_t file_bytes, int answers) {
  h5_enter_in_child();
  set_apart(seconds, file_bytes);
  const char told = (char)try_file(path, image);
  _exit(write(answers, &told, 1) == 1 ? 0 : 1);
}

/* ---- In the parent ----------------------------------------------------------------------------------- */

static unsigned seconds_for(uint64_t file_bytes) {
  const uint64_t seconds = CPU_SECONDS_LEAST + (file_bytes >> 20) / MEGABYTES_A_SECOND;
  return seconds < CPU_SECONDS_MOST ? (unsigned)seconds : CPU_SECONDS_MOST;
}

static mlpd_status judge(const char *path, uint64_t file_bytes, char told, int status) {
  if (told == ANSWER_READ) return MLPD_OK;
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGALRM))
    return FAIL(MLPD_ERROR_DATA, "%s: HDF5 never finishes reading it: it is damaged or forged", path);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) /* by a person, or because the machine ran out of memory */
    return FAIL(MLPD_ERROR_FILE, "%s: the process that checks it was killed (out of memory?)", path);
  if (is_limited(file_bytes))
    return FAIL(MLPD_ERROR_MEMORY, "%s: too little memory to check it: this process has a limit (ulimit -v)", path);
  if (told == ANSWER_MEMORY)
    return FAIL(MLPD_ERROR_DATA,
                "%s: HDF5 needs more memory to read it than its size justifies: it is damaged or forged", path);
  return FAIL(MLPD_ERROR_DATA, "%s: HDF5 crashes when it reads it: it is damaged or forged", path);
}

mlpd_status h5_trial(const char *path, h5_image image) {
  struct stat about = {.st_size = (off_t)image.count};
  int answers[2], status = 0;
  if ((image.bytes == NULL && stat(path, &about) != 0) || pipe(answers) != 0) return MLPD_OK;
  const uint64_t file_bytes = (uint64_t)about.st_size;
  const pid_t child = fork();
  if (child == 0) serve(path, image, seconds_for(file_bytes), file_bytes, answers[1]);
  (void)close(answers[1]);
  char told = 0;
  if (child > 0) {
    while (read(answers[0], &told, 1) < 0 && errno == EINTR) continue;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  }
  (void)close(answers[0]);
  return child < 0 ? MLPD_OK : judge(path, file_bytes, told, status);
}
