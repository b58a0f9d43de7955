#include "data/data_open.h"

#include "base/memory.h"
#include "data/data_rows.h"

mlpd_data_paths data_settled(const mlpd_data_paths *paths) {
  if (paths->rows == NULL) return *paths;
  return (mlpd_data_paths){.file = DATA_ROWS_NAME, .rows = paths->rows};
}

mlpd_status data_check(const mlpd_data_paths *paths, mlpd_split part) {
  if (paths->file == NULL || paths->file[0] == '\0') return FAIL(MLPD_ERROR_USAGE, "--data: no data file given");
  for (const mlpd_choice *known = mlpd_split_choices; known->name != NULL; known++)
    if (known->value == (int)part) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "%d is not a part of a data set; the parts are train, valid and test", (int)part);
}

/* Reads the metadata every rank will need. Errors are ignored here; each rank reports its own. */
static void look_at_all(const mlpd_data_paths *paths, h5_file *file) {
  static const mlpd_split splits[] = {MLPD_TRAIN, MLPD_VALID, MLPD_TEST};
  data_names names = {.classes = {0}};
  for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
    part p = {0};
    bool present = false;
    if (part_open(file, paths, splits[i], true, &p, &present) != MLPD_OK || !present) continue;
    const h5_array *const arrays[] = {p.x, p.y, p.weight};
    for (int a = 0; a < 3; a++)
      if (arrays[a] != NULL) (void)h5_array_stored_bytes(arrays[a]); /* reads the index of its chunks */
    part_close(&p);
  }
  if (dataset_names(file, &names) == MLPD_OK) data_names_free(&names);
}

/* Broadcasts rank 0's metadata. */
static mlpd_status tell(mlpd_comm *comm, h5_metadata *known) {
  const bool root = mlpd_comm_rank(comm) == 0;
  h5_metadata head = *known;
  TRY(comm_broadcast(comm, &head, sizeof head, 0));
  if (!root) *known = (h5_metadata){.version = head.version, .bytes = head.bytes};
  if (head.bytes == 0) return MLPD_OK;
  mlpd_status status = MLPD_OK;
  if (!root) status = memory_allocate(&known->records, known->bytes, 1, "metadata");
  TRY(mlpd_comm_agree(comm, status));
  return comm_broadcast(comm, known->records, known->bytes, 0);
}

static mlpd_status open_on_all(mlpd_comm *comm, const mlpd_data_paths *paths, h5_file **file) {
  const char *const path = paths->file;
  const bool root = mlpd_comm_rank(comm) == 0;
  h5_metadata known = {0};
  if (path == NULL) return FAIL(MLPD_ERROR_USAGE, "no data file was given; use --data FILE");
  if (mlpd_comm_size(comm) == 1) return h5_open(path, file);
  TRY(mlpd_comm_agree(comm, root ? h5_open_as(path, &(h5_opening){.records = true}, file) : MLPD_OK));
  if (root) {
    look_at_all(paths, *file);
    h5_metadata_take(*file, &known);
  }
  mlpd_status status = tell(comm, &known);
  if (status == MLPD_OK && !root) status = h5_open_as(path, &(h5_opening){.known = &known}, file);
  h5_metadata_free(&known);
  return mlpd_comm_agree(comm, status);
}

mlpd_status data_open(mlpd_comm *comm, const mlpd_data_paths *paths, h5_file **file) {
  *file = NULL;
  if (paths->rows != NULL) return data_rows_open(comm, paths->rows, file);
  const mlpd_status status = open_on_all(comm, paths, file);
  if (status == MLPD_OK) return MLPD_OK;
  (void)h5_close(*file); /* this rank may have opened it although another failed */
  *file = NULL;
  return status;
}
