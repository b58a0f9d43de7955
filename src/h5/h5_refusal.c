/* Error messages for valid HDF5 that mlpdist does not read. Each names the feature and gives a command that converts
 * the file. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/foreign.h"
#include "base/memory.h"
#include "h5/h5_internal.h"

enum { CURE_BYTES = 700 };

/* ---- Filters ---------------------------------------------------------------------------------------------- */

/* The registered filters (https://github.com/HDFGroup/hdf5_plugins, RegisteredFilterPlugins). */
static const char *filter_name(int filter, const char *given) {
  static const struct {
    int filter;
    const char *name;
  } known[] = {{4, "szip"},          {305, "LZO"},          {307, "bzip2"}, {32000, "LZF"},       {32001, "Blosc"},
               {32004, "LZ4"},       {32008, "bitshuffle"}, {32013, "ZFP"}, {32015, "Zstandard"}, {32017, "SZ"},
               {32018, "FCIDECOMP"}, {32019, "JPEG"},       {32024, "SZ3"}, {32026, "Blosc2"},    {32028, "SPERR"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].filter == filter) return known[i].name;
  return given[0] != '\0' ? given : "of no known name";
}

mlpd_status h5_fail_filter(const h5_array *array, int filter, const char *name) {
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  foreign_command_names(array->file->path, file, base);
  const bool of_h5py = filter == 32000; /* LZF comes with h5py, the others with hdf5plugin */
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s is compressed with HDF5's filter %d (%s), which is not installed here; rewrite it: python3 -c "
              "\"import h5py%s; a = h5py.File('%s'); b = h5py.File('%s-plain.h5', 'w'); a.visititems(lambda n, o: "
              "b.__setitem__(n, o[()]) if isinstance(o, h5py.Dataset) else None)\"%s",
              array->file->path, array->object, filter, filter_name(filter, name), of_h5py ? "" : ", hdf5plugin", file,
              base, of_h5py ? "" : " (needs hdf5plugin), or with that plugin: h5repack -f NONE");
}

/* ---- Numbers in other files --------------------------------------------------------------------------------- */

mlpd_status h5_fail_elsewhere(const h5_array *array, const char *what) {
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  foreign_command_names(array->file->path, file, base);
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s %s, which are not opened; copy them into one file: h5repack -l CONTI %s %s-whole.h5",
              array->file->path, array->object, what, file, base);
}

/* h5py stores complex numbers as compounds of r and i. */
static bool is_complex(hid_t type) {
  static const char *const parts[] = {"r", "i"};
  bool is = H5Tget_nmembers(type) == 2;
  for (unsigned i = 0; i < 2 && is; i++) {
    char *const name = H5Tget_member_name(type, i);
    is = name != NULL && strcmp(name, parts[i]) == 0;
    (void)H5free_memory(name);
  }
  return is;
}

mlpd_status h5_check_pandas(h5_file *file, const char *object) {
  const char *const end = strrchr(object, '/');
  char group[512], shown[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  if (end == NULL || end == object || (size_t)(end - object) >= sizeof group) return MLPD_OK;
  (void)snprintf(group, sizeof group, "%.*s", (int)(end - object), object);
  if (!h5_attribute_exists(file, group, "pandas_type")) return MLPD_OK;
  foreign_command_names(file->path, shown, base);
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s is a table that pandas stored (to_hdf) in its own format; write it as CSV for --data: python3 "
              "-c \"import pandas; pandas.read_hdf('%s', '%s').to_csv('%s.csv', index=False)\"",
              file->path, group, shown, group, base);
}

mlpd_status h5_fail_compound(const h5_array *array, hid_t type) {
  if (is_complex(type))
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s holds complex numbers; store their real and imaginary parts as columns: "
                "numpy.concatenate([a.real, a.imag], -1)",
                array->file->path, array->object);
  TRY(h5_check_pandas(array->file, array->object));
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  foreign_command_names(array->file->path, file, base);
  return FAIL(
      MLPD_ERROR_DATA,
      "%s: %s holds a compound type (a table of PyTables?), not numbers; write it as CSV: python3 -c "
      "\"import h5py, csv; t = h5py.File('%s')['%s'][()].ravel(); f = lambda n, a: sum((f(n + k + '_', a[k]) for "
      "k in a.dtype.names), []) if a.dtype.names else [(n[:-1] + ('_%%d' %% i if a.ndim > 1 else ''), "
      "v.tolist()) for i, v in enumerate(a.reshape(len(a), -1).T)]; c = f('', t); w = csv.writer(open('%s.csv', "
      "'w', newline='')); w.writerow(n for n, v in c); w.writerows([x.decode() if isinstance(x, bytes) else x "
      "for x in r] for r in zip(*(v for n, v in c)))\"",
      array->file->path, array->object, file, array->object, base);
}

/* ---- Links ------------------------------------------------------------------------------------------------- */

/* Describes the link `object` and its target in text; false if it is not a soft or external link. */
static bool describe_link(hid_t group, const char *object, hid_t access, char *text, size_t bytes) {
  H5L_info_t about;
  char value[512] = "";
  if (H5Lget_info(group, object, &about, access) < 0) return false;
  if (about.type != H5L_TYPE_SOFT && about.type != H5L_TYPE_EXTERNAL) return false;
  if (about.u.val_size > sizeof value || H5Lget_val(group, object, value, sizeof value, access) < 0) return false;
  value[sizeof value - 1] = '\0';
  if (about.type == H5L_TYPE_SOFT) {
    (void)snprintf(text, bytes, "a link to %s", value);
    return true;
  }
  const char *file = NULL, *target = NULL;
  unsigned flags = 0;
  if (H5Lunpack_elink_val(value, about.u.val_size, &flags, &file, &target) < 0) return false;
  (void)snprintf(text, bytes, "an external link to %s in %s", target, file);
  return true;
}

mlpd_status h5_check_links(h5_file *file, const char *object) {
  H5_ENTER();
  char *path = NULL, link[700];
  TRY(memory_copy_string(object, &path));
  mlpd_status status = MLPD_OK;
  for (char *end = path; *end != '\0' && status == MLPD_OK;) {
    end += 1 + strcspn(end + 1, "/");
    const char kept = *end;
    *end = '\0';
    if (H5Lexists(file->id, path, file->link_access) <= 0) break;
    if (H5Oexists_by_name(file->id, path, file->link_access) <= 0) {
      char name[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
      foreign_command_names(file->path, name, base);
      if (!describe_link(file->id, path, file->link_access, link, sizeof link)) break;
      if (strncmp(link, "an external", 11) == 0)
        status = FAIL(MLPD_ERROR_DATA,
                      "%s: %s is %s, which is not followed; copy the data into one file: h5copy -p -f ext -i %s -o "
                      "%s-whole.h5 -s %s -d %s (for each array)",
                      file->path, path, link, name, base, object, object);
      else
        status = FAIL(MLPD_ERROR_DATA, "%s: %s is %s, which does not exist", file->path, path, link);
      break;
    }
    *end = kept;
  }
  free(path);
  return status;
}

typedef struct link_visit {
  mlpd_status (*visit)(void *context, const char *object, const char *described);
  void *context;
  mlpd_status status;
  hid_t access;
} link_visit;

static herr_t visit_link(hid_t root, const char *name, const H5L_info_t *about, void *context) {
  link_visit *const v = context;
  char text[700];
  char *object = NULL;
  if (about->type == H5L_TYPE_HARD || !describe_link(root, name, v->access, text, sizeof text)) return 0;
  v->status = memory_allocate(&object, strlen(name) + 2, 1, "a link's name");
  if (v->status == MLPD_OK) {
    object[0] = '/';
    memcpy(object + 1, name, strlen(name));
    v->status = v->visit(v->context, object, text);
  }
  free(object);
  return v->status == MLPD_OK ? 0 : -1;
}

mlpd_status h5_visit_links(h5_file *file,
                           mlpd_status (*visit)(void *context, const char *object, const char *described),
                           void *context) {
  H5_ENTER();
  link_visit v = {.visit = visit, .context = context, .status = MLPD_OK, .access = file->link_access};
  const herr_t result = H5Lvisit(file->id, H5_INDEX_NAME, H5_ITER_INC, visit_link, &v);
  if (v.status != MLPD_OK) return v.status;
  if (result < 0) return FAIL(MLPD_ERROR_FILE, "%s: its links cannot be listed: %s", file->path, h5_reason());
  return MLPD_OK;
}

/* ---- MATLAB -------------------------------------------------------------------------------------------------- */

bool h5_is_matlab(const char *path) {
  static const char mark[] = "MATLAB 7.3 MAT-file";
  char head[sizeof mark] = "";
  FILE *const file = fopen(path, "rb");
  if (file == NULL) return false;
  const bool is = fread(head, 1, sizeof mark - 1, file) == sizeof mark - 1 && strcmp(head, mark) == 0;
  (void)fclose(file);
  return is;
}

mlpd_status h5_fail_group(h5_file *file, const char *object) {
  char *class = NULL;
  if (h5_attribute_exists(file, object, "MATLAB_sparse"))
    return FAIL(MLPD_ERROR_DATA, "%s: %s is a sparse MATLAB matrix; save it as a full one, full(...)", file->path,
                object);
  if (h5_attribute_exists(file, object, "MATLAB_class") &&
      h5_attribute_read_text(file, object, "MATLAB_class", &class) == MLPD_OK) {
    const mlpd_status status = FAIL(MLPD_ERROR_DATA,
                                    "%s: %s is a MATLAB %.40s, not an array; save its fields as "
                                    "arrays: save('%s', '-struct', NAME, '-v7.3')",
                                    file->path, object, class, "new.mat");
    free(class);
    return status;
  }
  return FAIL(MLPD_ERROR_DATA, "%s: %s is a group, not a data set; 'mlpdist info' lists the arrays in the file",
              file->path, object);
}
