#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "h5/h5_internal.h"

static pthread_mutex_t in_hdf5;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make_lock(void) {
  pthread_mutexattr_t kind;
  (void)pthread_mutexattr_init(&kind);
  (void)pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
  (void)pthread_mutex_init(&in_hdf5, &kind);
  (void)pthread_mutexattr_destroy(&kind);
}

h5_guard h5_enter(void) {
  (void)pthread_once(&made, make_lock);
  (void)pthread_mutex_lock(&in_hdf5);
  return (h5_guard){1};
}

void h5_leave(const h5_guard *guard) {
  (void)guard;
  (void)pthread_mutex_unlock(&in_hdf5);
}

void h5_enter_in_child(void) { /* a recursive lock stores the number of its owner thread, which fork() changes */
  make_lock();
  (void)pthread_mutex_lock(&in_hdf5);
}

void h5_library_start(void) {
  static _Thread_local bool started = false; /* per thread: a thread-safe HDF5 has an error setting for each */
  if (started) return;
  started = true;
  /* Locks fail on some parallel file systems. HDF5 versions without H5Pset_file_locking read this variable when they
   * start. */
  if (!H5_HAVE_SET_FILE_LOCKING) (void)setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
  /* mlpdist closes every file itself. HDF5's own cleanup at exit crashes (1.10.8) after a write to a full disk failed.
   */
  (void)H5dont_atexit();
  (void)H5open();
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static _Thread_local bool lacked_memory;

bool h5_lacked_memory(void) { return lacked_memory; }

static herr_t take_description(unsigned level, const H5E_error2_t *entry, void *context) {
  (void)level;
  char *text = context;
  if (entry->maj_num == H5E_RESOURCE && (entry->min_num == H5E_NOSPACE || entry->min_num == H5E_CANTALLOC))
    lacked_memory = true;
  if (text[0] == '\0' && entry->desc != NULL) (void)snprintf(text, 256, "%s", entry->desc);
  return 0;
}

const char *h5_reason(void) {
  static _Thread_local char text[256];
  text[0] = '\0';
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, text);
  for (char *c = text; *c != '\0'; ++c)
    if (*c == '\n' || *c == '\r') *c = ' ';
  static const char marker[] = "error message = '"; /* precedes the operating system's message */
  char *said = strstr(text, marker);
  char *end = said != NULL ? strchr(said + sizeof marker - 1, '\'') : NULL;
  if (end != NULL) {
    *end = '\0';
    return said + sizeof marker - 1;
  }
  return text[0] != '\0' ? text : "HDF5 gives no reason";
}

void h5_id_close(hid_t id) {
  if (id >= 0) (void)H5Idec_ref(id);
}

hid_t h5_native_type(element_type type) {
  switch (type) {
    case ELEMENT_I8:
      return H5T_NATIVE_INT8;
    case ELEMENT_U8:
      return H5T_NATIVE_UINT8;
    case ELEMENT_I16:
      return H5T_NATIVE_INT16;
    case ELEMENT_U16:
      return H5T_NATIVE_UINT16;
    case ELEMENT_I32:
      return H5T_NATIVE_INT32;
    case ELEMENT_U32:
      return H5T_NATIVE_UINT32;
    case ELEMENT_I64:
      return H5T_NATIVE_INT64;
    case ELEMENT_U64:
      return H5T_NATIVE_UINT64;
    case ELEMENT_F32:
      return H5T_NATIVE_FLOAT;
    case ELEMENT_F64:
      return H5T_NATIVE_DOUBLE;
    case NUM_ELEMENT_TYPES:
      break;
  }
  return H5I_INVALID_HID;
}
