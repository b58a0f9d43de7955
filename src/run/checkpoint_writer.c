/* Writes checkpoints in the background: training waits for a copy of the arenas, not for the disk. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder.h"
#include "base/memory.h"
#include "run/checkpoint.h"
#include "run/run_files.h"

struct checkpoint_writer {
  char folder[FILE_PATH_BYTES];
  uint64_t keep;
  char run[FILE_PATH_BYTES]; /* the folder above */
  file_identity run_identity;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool busy, ending, started; /* busy: the thread owns `copy` */
  bool held;                  /* `copy` waits for its release; used by the caller's thread only */
  checkpoint copy;
  timeline *line;     /* NULL: nothing is recorded */
  mlpd_status failed; /* status of the last write, until it has been returned */
  char message[1024];
};

static mlpd_status write_copy(checkpoint_writer *w) {
  char path[FILE_PATH_BYTES];
  const file_identity run = file_identify(w->run);
  if (!file_identities_equal(&run, &w->run_identity))
    return FAIL(MLPD_ERROR_FILE, "%s: the run folder was removed or renamed during the run", w->run);
  TRY(folder_make(w->folder));
  TRY(checkpoint_path(path, w->folder, w->copy.state.step));
  if (file_identify(path).known && !run_file_is_ours(path, RUN_CHECKPOINT))
    return FAIL(MLPD_ERROR_FILE, "%s exists and is not a checkpoint of mlpdist, so it is not replaced", path);
  TRY(checkpoint_write(&w->copy, path));
  checkpoint_prune(w->folder, w->copy.state.step, w->keep);
  return MLPD_OK;
}

static void *write_when_told(void *argument) {
  checkpoint_writer *const w = argument;
  (void)pthread_mutex_lock(&w->mutex);
  for (;;) {
    while (!w->busy && !w->ending) (void)pthread_cond_wait(&w->changed, &w->mutex);
    if (!w->busy) break;
    (void)pthread_mutex_unlock(&w->mutex);
    const uint64_t began = timeline_begin_rare(w->line);
    const mlpd_status status = write_copy(w);
    (void)timeline_end(w->line, timeline_track_of(w->line, TIMELINE_CHECKPOINTS), TIMELINE_CHECKPOINT_WRITE, 0, 0,
                       began);
    (void)pthread_mutex_lock(&w->mutex);
    w->failed = status;
    if (status != MLPD_OK) (void)snprintf(w->message, sizeof w->message, "%s", mlpd_error_message());
    w->busy = false;
    (void)pthread_cond_broadcast(&w->changed);
  }
  (void)pthread_mutex_unlock(&w->mutex);
  return NULL;
}

mlpd_status checkpoint_writer_start(const char *folder, uint64_t keep, checkpoint_writer **started) {
  checkpoint_writer *w = NULL;
  *started = NULL;
  TRY(memory_allocate(&w, 1, sizeof *w, "checkpoint writer"));
  (void)snprintf(w->folder, sizeof w->folder, "%s", folder);
  const char *const slash = strrchr(folder, '/');
  (void)snprintf(w->run, sizeof w->run, "%.*s", slash != NULL ? (int)(slash - folder) : 1,
                 slash != NULL ? folder : ".");
  w->run_identity = file_identify(w->run);
  w->keep = keep;
  (void)pthread_mutex_init(&w->mutex, NULL);
  (void)pthread_cond_init(&w->changed, NULL);
  const int error = pthread_create(&w->thread, NULL, write_when_told, w);
  w->started = error == 0;
  if (error != 0) {
    checkpoint_writer_free(w);
    return FAIL(MLPD_ERROR_INTERNAL, "cannot start the thread that writes checkpoints: %s", strerror(error));
  }
  *started = w;
  return MLPD_OK;
}

void checkpoint_writer_trace(checkpoint_writer *w, timeline *t) {
  (void)pthread_mutex_lock(&w->mutex);
  w->line = t;
  (void)pthread_mutex_unlock(&w->mutex);
}

/* Moves the pending failure to this thread's message. The caller holds the mutex. */
static mlpd_status take_failure(checkpoint_writer *w) {
  const mlpd_status status = w->failed;
  w->failed = MLPD_OK;
  return status == MLPD_OK ? MLPD_OK : FAIL(status, "%s", w->message);
}

static mlpd_status copy_text(const char *from, char **to) {
  free(*to);
  return memory_copy_string(from, to);
}

/* Arenas of `to` are allocated once and reused. */
static mlpd_status copy_checkpoint(const checkpoint *from, checkpoint *to) {
  to->state = from->state;
  for (int i = 0; i < CHECKPOINT_ARENAS; i++) {
    if (from->arenas[i] == NULL) {
      free(to->arenas[i]);
      to->arenas[i] = NULL;
      continue;
    }
    const size_t size = from->state.arena_size;
    if (to->arenas[i] == NULL) TRY(memory_allocate(&to->arenas[i], size, sizeof(float), "copy for a checkpoint"));
    memcpy(to->arenas[i], from->arenas[i], size * sizeof(float));
  }
  TRY(copy_text(from->options, &to->options));
  TRY(copy_text(from->config, &to->config));
  TRY(copy_text(from->names, &to->names));
  return copy_text(from->metrics, &to->metrics);
}

mlpd_status checkpoint_writer_hold(checkpoint_writer *w, const checkpoint *c, bool *taken) {
  (void)pthread_mutex_lock(&w->mutex);
  *taken = !w->busy;
  const mlpd_status failure = *taken ? take_failure(w) : MLPD_OK;
  (void)pthread_mutex_unlock(&w->mutex);
  if (!*taken) return MLPD_OK;
  /* The thread does not read the copy before busy is set. */
  const mlpd_status status = copy_checkpoint(c, &w->copy);
  *taken = w->held = status == MLPD_OK;
  return status != MLPD_OK ? status : failure;
}

bool checkpoint_writer_release(checkpoint_writer *w) {
  if (!w->held) return false;
  w->held = false;
  (void)pthread_mutex_lock(&w->mutex);
  w->busy = true;
  (void)pthread_cond_broadcast(&w->changed);
  (void)pthread_mutex_unlock(&w->mutex);
  return true;
}

mlpd_status checkpoint_writer_wait(checkpoint_writer *w) {
  (void)pthread_mutex_lock(&w->mutex);
  while (w->busy) (void)pthread_cond_wait(&w->changed, &w->mutex);
  const mlpd_status status = take_failure(w);
  (void)pthread_mutex_unlock(&w->mutex);
  return status;
}

void checkpoint_writer_free(checkpoint_writer *w) {
  if (w == NULL) return;
  if (w->started) {
    (void)pthread_mutex_lock(&w->mutex);
    w->ending = true;
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->mutex);
    (void)pthread_join(w->thread, NULL);
  }
  (void)pthread_cond_destroy(&w->changed);
  (void)pthread_mutex_destroy(&w->mutex);
  checkpoint_free(&w->copy);
  free(w);
}
