#include "run/run_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char *const KINDS[] = {"column ", "target ", "class ", "category "};
enum { NUM_KINDS = sizeof KINDS / sizeof *KINDS, LINE_BYTES = 400 };

/* A text that grows. */
typedef struct line_list {
  char *text;
  size_t used, room;
} line_list;

/* Adds a line: kind, name, and the text after it. */
static mlpd_status add_line(line_list *list, const char *kind, const char *name, const char *of) {
  const size_t bytes = strlen(kind) + strlen(name) + strlen(of) + 16;
  if (list->used + bytes > list->room) {
    const size_t room = 2 * (list->used + bytes);
    char *const larger = realloc(list->text, room);
    if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory for names");
    list->text = larger;
    list->room = room;
  }
  char *const line = list->text + list->used;
  (void)snprintf(line, list->room - list->used, *of != '\0' ? "%s%s of %s" : "%s%s", kind, name, of);
  for (char *p = line; *p != '\0'; p++)
    if (*p == '\n') *p = ' ';
  list->used += strlen(line) + 1;
  list->text[list->used - 1] = '\n';
  list->text[list->used] = '\0';
  return MLPD_OK;
}

static mlpd_status add_lines(line_list *list, const char *kind, const name_list *names, const char *of) {
  for (uint64_t i = 0; i < names->count; i++) TRY(add_line(list, kind, names->names[i], of));
  return MLPD_OK;
}

static mlpd_status add_all(line_list *list, const mlpd_model *model) {
  const columns *const about = &model->codes.about;
  const name_list *const named = &model->names.columns;
  TRY(add_lines(list, KINDS[0], named, ""));
  TRY(add_lines(list, KINDS[1], &model->names.targets, ""));
  TRY(add_lines(list, KINDS[2], &model->names.classes, ""));
  for (uint32_t j = 0; j < about->count; j++) {
    char number[16];
    (void)snprintf(number, sizeof number, "%u", j);
    TRY(add_lines(list, KINDS[3], &about->categories[j], j < named->count ? named->names[j] : number));
  }
  return MLPD_OK;
}

mlpd_status run_names_text(const mlpd_model *model, char **text) {
  line_list list = {0};
  const mlpd_status status = add_all(&list, model);
  if (status == MLPD_OK && list.text == NULL) return memory_copy_string("", text);
  if (status != MLPD_OK) free(list.text);
  *text = status == MLPD_OK ? list.text : NULL;
  return status;
}

/* Copies the next line of this kind, from *at on, without the kind; false if there is none. */
static bool next_of_kind(const char **at, const char *kind, char line[LINE_BYTES]) {
  while (**at != '\0') {
    const char *const begin = *at, *const end = begin + strcspn(begin, "\n");
    *at = *end == '\n' ? end + 1 : end;
    if (strncmp(begin, kind, strlen(kind)) != 0) continue;
    const char *const name = begin + strlen(kind);
    (void)snprintf(line, LINE_BYTES, "%.*s", (int)(end - name), name);
    return true;
  }
  return false;
}

static mlpd_status compare_kind(const char *theirs, const char *ours, const char *kind, const char *data) {
  char was[LINE_BYTES], is[LINE_BYTES];
  uint64_t number = 0;
  bool there = next_of_kind(&theirs, kind, was);
  if (!there) return MLPD_OK;
  for (;; number++) {
    const bool here = next_of_kind(&ours, kind, is);
    if (!there && !here) return MLPD_OK;
    if (there && here && strcmp(was, is) == 0) {
      there = next_of_kind(&theirs, kind, was);
      continue;
    }
    return FAIL(MLPD_ERROR_DATA,
                "%s: %.*s %llu (from 0) is %s%s%s here, but %s%s%s in the data that the checkpoint was made with; use "
                "the same data, another --out, or --resume never",
                data, (int)strlen(kind) - 1, kind, (unsigned long long)number, here ? "'" : "", here ? is : "without",
                here ? "'" : " a name", there ? "'" : "", there ? was : "without", there ? "'" : " a name");
  }
}

mlpd_status run_names_compare(const char *theirs, const char *ours, const char *data) {
  for (int kind = 0; theirs != NULL && kind < NUM_KINDS; kind++) TRY(compare_kind(theirs, ours, KINDS[kind], data));
  return MLPD_OK;
}
