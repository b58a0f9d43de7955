#include "data/data_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/caller_rows.h"
#include "ranks/comm.h"

enum { PIECE_BYTES = 4 << 20, MOST_ARRAYS = 7 };

/* An array of the schema, and what one rank has of it. */
typedef struct given_array {
  const char *object, *name;
  const mlpd_rows *rows;
  const mlpd_rows *beside; /* must have as many rows; NULL: none */
} given_array;

/* What the ranks tell each other of theirs. */
typedef struct array_head {
  uint64_t rows;
  uint32_t columns, type;
} array_head;

static uint32_t list_arrays(const mlpd_data_rows *r, given_array arrays[MOST_ARRAYS]) {
  const given_array all[MOST_ARRAYS] = {{"/train/x", "x", &r->x, NULL},
                                        {"/train/y", "y", &r->y, &r->x},
                                        {"/train/weight", "weight", &r->weight, &r->x},
                                        {"/valid/x", "valid_x", &r->valid_x, NULL},
                                        {"/valid/y", "valid_y", &r->valid_y, &r->valid_x},
                                        {"/test/x", "test_x", &r->test_x, NULL},
                                        {"/test/y", "test_y", &r->test_y, &r->test_x}};
  memcpy(arrays, all, sizeof all);
  return MOST_ARRAYS;
}

const char *data_rows_member(const char *path) {
  given_array arrays[MOST_ARRAYS];
  const uint32_t count = list_arrays(&(mlpd_data_rows){.class_names = NULL}, arrays);
  for (uint32_t i = 0; i < count; i++)
    if (strcmp(arrays[i].object, path) == 0) return arrays[i].name;
  return path;
}

/* An array that a program does not set is all zero. */
static bool is_given(const mlpd_rows *rows) { return rows->columns > 0 || rows->data != NULL; }

static mlpd_status check_own(const given_array *a) {
  if (!is_given(a->rows)) return MLPD_OK;
  TRY(caller_rows_check(a->rows, a->name, a->rows->rows, a->rows->columns));
  if (a->rows->columns == 0) return FAIL(MLPD_ERROR_USAGE, "%s: %s has no columns", DATA_ROWS_NAME, a->name);
  if (a->beside == NULL || a->rows->rows == a->beside->rows) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "%s: %s has %llu rows beside %llu rows of x", DATA_ROWS_NAME, a->name,
              (unsigned long long)a->rows->rows, (unsigned long long)a->beside->rows);
}

/* Checks that the heads (size) of all ranks agree. */
static mlpd_status check_heads(const given_array *a, const array_head *heads, int size) {
  for (int rank = 1; rank < size; rank++)
    if (heads[rank].columns != heads[0].columns || heads[rank].type != heads[0].type)
      return FAIL(MLPD_ERROR_USAGE,
                  "%s: %s has %u columns of %s on rank 0, but %u of %s on rank %d; a rank without rows says so by "
                  "rows = 0 alone",
                  DATA_ROWS_NAME, a->name, heads[0].columns, element_name((element_type)heads[0].type),
                  heads[rank].columns, element_name((element_type)heads[rank].type), rank);
  return MLPD_OK;
}

/* The rows of a rank travel to all, some at a time. */
static mlpd_status write_rank(mlpd_comm *comm, const given_array *a, const array_head *head, int rank, uint64_t place,
                              h5_array *array, char *piece) {
  const uint64_t row_bytes = (uint64_t)head->columns * element_size((element_type)head->type);
  const uint64_t most = PIECE_BYTES / row_bytes > 0 ? PIECE_BYTES / row_bytes : 1;
  mlpd_status written = MLPD_OK;
  for (uint64_t row = 0; row < head->rows; row += most) {
    const uint64_t n = head->rows - row < most ? head->rows - row : most;
    if (mlpd_comm_rank(comm) == rank) caller_rows_copy(a->rows, row, n, piece);
    TRY(comm_broadcast(comm, piece, n * row_bytes, rank));
    if (written == MLPD_OK) written = h5_array_write(array, place + row, n, (element_type)head->type, piece);
  }
  return mlpd_comm_agree(comm, written);
}

static mlpd_status write_ranks(mlpd_comm *comm, const given_array *a, const array_head *heads, uint64_t total,
                               h5_file *file) {
  const uint64_t row_bytes = (uint64_t)heads->columns * element_size((element_type)heads->type);
  const uint64_t columns = heads->columns > 1 || a->beside == NULL ? heads->columns : 0; /* y (N), as in most files */
  h5_array *array = NULL;
  char *piece = NULL;
  mlpd_status status = memory_allocate(&piece, row_bytes > PIECE_BYTES ? row_bytes : PIECE_BYTES, 1, a->name);
  if (status == MLPD_OK)
    status = h5_array_create(file, a->object, total, columns, (element_type)heads->type, 0, 0, &array);
  status = mlpd_comm_agree(comm, status);
  uint64_t place = 0;
  for (int rank = 0; rank < mlpd_comm_size(comm) && status == MLPD_OK; rank++) {
    status = write_rank(comm, a, &heads[rank], rank, place, array, piece);
    place += heads[rank].rows;
  }
  h5_array_close(array);
  free(piece);
  return status;
}

/* The x of a single rank, in C order, needs no copy: it is read where it lies. Labels and weights are small, and are
 * read as other types than their own. */
static bool can_be_lent(mlpd_comm *comm, const given_array *a) {
  return mlpd_comm_size(comm) == 1 && a->beside == NULL && caller_rows_in_c_order(a->rows);
}

static mlpd_status add_array(mlpd_comm *comm, const given_array *a, h5_file *file) {
  const array_head mine = {.rows = a->rows->rows, .columns = a->rows->columns, .type = (uint32_t)a->rows->type};
  array_head *heads = NULL;
  uint64_t total = 0;
  mlpd_status status = mlpd_comm_agree(comm, check_own(a));
  if (status == MLPD_OK) status = comm_gather_equal(comm, &mine, sizeof mine, a->name, &heads);
  if (status == MLPD_OK) status = check_heads(a, heads, mlpd_comm_size(comm));
  for (int rank = 0; rank < mlpd_comm_size(comm) && status == MLPD_OK; rank++) total += heads[rank].rows;
  if (status == MLPD_OK && total > 0 && can_be_lent(comm, a))
    status = h5_array_lend(file, a->object, total, mine.columns, (element_type)mine.type, a->rows->data);
  else if (status == MLPD_OK && total > 0)
    status = write_ranks(comm, a, heads, total, file);
  free(heads);
  return status;
}

static mlpd_status check_names(const char *const *names, uint32_t count, const char *what) {
  for (uint32_t i = 0; names != NULL && i < count; i++)
    if (names[i] == NULL) return FAIL(MLPD_ERROR_USAGE, "%s: %s[%u] is NULL", DATA_ROWS_NAME, what, i);
  return MLPD_OK;
}

static mlpd_status add_names(const mlpd_data_rows *r, h5_file *file) {
  TRY(check_names(r->column_names, r->x.columns, "column_names"));
  TRY(check_names(r->target_names, r->y.columns, "target_names"));
  TRY(check_names(r->class_names, r->num_class_names, "class_names"));
  if (r->column_names != NULL) TRY(h5_strings_write(file, "/columns/name", r->column_names, r->x.columns));
  if (r->target_names != NULL) TRY(h5_strings_write(file, "/targets/name", r->target_names, r->y.columns));
  if (r->class_names == NULL || r->num_class_names == 0) return MLPD_OK;
  return h5_strings_write(file, "/class_names", r->class_names, r->num_class_names);
}

mlpd_status data_rows_open(mlpd_comm *comm, const mlpd_data_rows *rows, h5_file **file) {
  given_array arrays[MOST_ARRAYS];
  const uint32_t num_arrays = list_arrays(rows, arrays);
  *file = NULL;
  mlpd_status status = h5_create_in_memory(DATA_ROWS_NAME, file);
  if (status == MLPD_OK) status = add_names(rows, *file);
  status = mlpd_comm_agree(comm, status);
  for (uint32_t i = 0; i < num_arrays && status == MLPD_OK; i++) status = add_array(comm, &arrays[i], *file);
  if (status == MLPD_OK) return MLPD_OK;
  (void)h5_close(*file); /* nothing is kept of it */
  *file = NULL;
  return status;
}
