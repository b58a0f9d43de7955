/* Reads a lesson from text: one thing a line, numbers between blanks or commas.
 *
 *   # note                     a comment, also behind other text
 *   title TEXT                 the heading
 *   hidden 2                   and activation, loss, lr, ...: as the options of `mlpdist explain`, without --
 *   weights 1                  of layer 1: a row for each input, a column for each output,
 *     0.15 0.25                on this line and the next ones
 *     0.20 0.30
 *   biases 1  0.35 0.35        likewise; 0 where they are not given
 *                              (where members have matrices of their own: member after member)
 *   gain 1, shift 1            of a norm, likewise; 1 and 0 where they are not given
 *   categories 0 3             an input that is a number, and one that is a code, 0, 1 or 2, of 3 categories
 *   scale 1 0.5                of the inputs, with input-scale; 1 where it is not given
 *   sample 0.05 0.1 -> 0.01 1  inputs and targets; a line for each sample
 *
 * Weights of all layers or of none: then they are drawn. */
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "explain/explain.h"

typedef struct reader {
  explain_lesson *lesson;
  int line;           /* from 1 */
  explain_list *open; /* the numbers of a line without a keyword belong here; NULL: nowhere */
} reader;

typedef struct number_holder {
  double number;
} number_holder;

static const mlpd_option number_row = {.name = "number",
                                       .type = MLPD_OPTION_REAL,
                                       .offset = offsetof(number_holder, number),
                                       .size = sizeof(double),
                                       .minimum = -(double)FLT_MAX,
                                       .maximum = (double)FLT_MAX};

static const char *const keywords[] = {"title", "weights", "biases", "gain", "shift", "scale", "sample", NULL};

static mlpd_status fail_at(const reader *at, const char *what) {
  return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s", at->lesson->name, at->line, what);
}

static mlpd_status fail_binary(const reader *at) {
  return fail_at(at, "this is not a text such as explain --print-network prints");
}

/* ---- Numbers ---------------------------------------------------------------------------------------- */

static mlpd_status append(explain_list *list, float value) {
  if (list->count == list->capacity) {
    const size_t capacity = list->capacity > 0 ? 2 * list->capacity : 16;
    float *const values = realloc(list->values, capacity * sizeof *values);
    if (values == NULL) return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading numbers");
    list->values = values;
    list->capacity = capacity;
  }
  list->values[list->count++] = value;
  return MLPD_OK;
}

static bool is_separator(char c) { return isspace((unsigned char)c) || c == ','; }

/* text as its words with a comma between them, in place: "2, 3" is 2,3. */
static char *join_words(char *text) {
  char *to = text;
  for (const char *from = text; *from != '\0'; from++) {
    if (!is_separator(*from)) *to++ = *from;
    const bool is_end = is_separator(*from) && from[1] != '\0' && !is_separator(from[1]);
    if (is_end && to > text) *to++ = ',';
  }
  *to = '\0';
  return text;
}

/* The next word of *text, ended in place; NULL: there is none. */
static char *next_word(char **text) {
  char *word = *text;
  while (is_separator(*word)) word++;
  if (*word == '\0') return NULL;
  char *end = word;
  while (*end != '\0' && !is_separator(*end)) end++;
  *text = *end != '\0' ? end + 1 : end;
  *end = '\0';
  return word;
}

static mlpd_status read_numbers(const reader *at, const char *of, char *text, explain_list *list) {
  const size_t most = (size_t)EXPLAIN_MAX_WIDTH * EXPLAIN_MAX_WIDTH;
  char where[256];
  (void)snprintf(where, sizeof where, "%.200s:%d: %s", at->lesson->name, at->line, of);
  for (char *word; (word = next_word(&text)) != NULL;) {
    number_holder holder;
    mlpd_status status = options_set(&number_row, where, word, &holder);
    if (status == MLPD_OK && list->count >= most) status = fail_at(at, "too many numbers for a layer of this command");
    if (status == MLPD_OK) status = append(list, (float)holder.number);
    if (status != MLPD_OK) return status;
  }
  return MLPD_OK;
}

/* ---- Keywords --------------------------------------------------------------------------------------- */

/* The numbers of name ("weights 2", "scale"), on this line and those below. */
static mlpd_status open_list(reader *at, const char *keyword, const char *name, explain_list *list, char *text) {
  if (list->line > 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: %s stands in line %d already", at->lesson->name, at->line, name,
                        list->line);
  list->line = at->line;
  at->open = list;
  return read_numbers(at, keyword, text, list);
}

/* "weights 2 0.1 0.2": text begins with the number of the layer. */
static mlpd_status read_layer(reader *at, const char *keyword, explain_list *lists, char *text) {
  char message[128], *end = NULL;
  const char *const word = next_word(&text);
  const unsigned long layer = word != NULL ? strtoul(word, &end, 10) : 0;
  if (word == NULL || *end != '\0' || layer < 1 || layer > EXPLAIN_MAX_LAYERS) {
    (void)snprintf(message, sizeof message, "%s needs the number of a layer, from 1 to %d, as in: %s 1", keyword,
                   EXPLAIN_MAX_LAYERS, keyword);
    return fail_at(at, message);
  }
  (void)snprintf(message, sizeof message, "%s %lu", keyword, layer);
  return open_list(at, keyword, message, &lists[layer - 1], text);
}

/* Has the sample the width of the first one? *width is 0 before that. */
static mlpd_status check_width(const reader *at, const char *what, size_t given, uint32_t *width, int first_line) {
  char message[160];
  if (given == 0 || given > EXPLAIN_MAX_WIDTH) {
    (void)snprintf(message, sizeof message, "a sample has from 1 to %d %s, not %zu, as in: sample 0 1 -> 1",
                   EXPLAIN_MAX_WIDTH, what, given);
    return fail_at(at, message);
  }
  if (*width == 0) *width = (uint32_t)given;
  if (*width == given) return MLPD_OK;
  (void)snprintf(message, sizeof message, "the number of %s is %zu, and %u in the sample of line %d", what, given,
                 *width, first_line);
  return fail_at(at, message);
}

static mlpd_status read_sample(reader *at, char *text) {
  explain_lesson *const lesson = at->lesson;
  explain_list *const x = &lesson->x, *const y = &lesson->y;
  char *const arrow = strstr(text, "->");
  if (arrow == NULL) return fail_at(at, "inputs and targets of a sample have -> between them, as in: sample 0 1 -> 1");
  if (lesson->n == EXPLAIN_MAX_SAMPLES) return fail_at(at, "this command takes at most 1024 samples");
  *arrow = '\0';
  if (x->line == 0) x->line = at->line;
  const size_t before_x = x->count, before_y = y->count;
  mlpd_status status = read_numbers(at, "input", text, x);
  if (status == MLPD_OK) status = read_numbers(at, "target", arrow + 2, y);
  if (status == MLPD_OK) status = check_width(at, "inputs", x->count - before_x, &lesson->inputs, x->line);
  if (status == MLPD_OK) status = check_width(at, "targets", y->count - before_y, &lesson->targets, x->line);
  lesson->n++;
  return status;
}

static mlpd_status fail_keyword(const reader *at, const char *word) {
  const char *near = NULL;
  char names[800] = "";
  size_t used = 0;
  for (const char *c = word; *c != '\0'; c++)
    if ((unsigned char)*c >= 0x80) return fail_binary(at);
  for (int i = 0; keywords[i] != NULL; i++) mlpd_name_offer(word, keywords[i], &near);
  for (const option *row = explain_setting_rows; row->name != NULL; row++) {
    mlpd_name_offer(word, row->name, &near);
    used += (size_t)snprintf(names + used, sizeof names - used, ", %s", row->name);
  }
  if (near != NULL)
    return outcome_fail(MLPD_ERROR_USAGE, "%s:%d: \"%s\" is unknown; did you mean %s?", at->lesson->name, at->line,
                        word, near);
  return outcome_fail(
      MLPD_ERROR_USAGE,
      "%s:%d: \"%s\" is unknown; a line begins with title, weights, biases, gain, shift, scale, sample%s",
      at->lesson->name, at->line, word, names);
}

/* text without blanks around it and without the = of a config file. */
static char *trim(char *text) {
  while (isspace((unsigned char)*text) || *text == '=') text++;
  size_t length = strlen(text);
  while (length > 0 && isspace((unsigned char)text[length - 1])) length--;
  text[length] = '\0';
  return text;
}

static mlpd_status read_setting(const reader *at, const char *word, char *text) {
  const option *const row = mlpd_option_find(explain_setting_rows, word);
  if (row == NULL) return fail_keyword(at, word);
  char where[EXPLAIN_PLACE_BYTES];
  explain_setting_given(at->lesson, word, at->line);
  (void)explain_setting_place(at->lesson, word, where);
  const bool is_list = row->type == OPTION_WIDTHS || row->type == OPTION_LIST || row->type == OPTION_TEXT;
  const char *const kept = option_keep(&at->lesson->texts, is_list ? join_words(trim(text)) : trim(text));
  if (kept == NULL) return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading %s", at->lesson->name);
  return options_set(row, where, strcmp(kept, "\"\"") == 0 ? "" : kept, &at->lesson->settings);
}

static bool begins_number(char c) { return isdigit((unsigned char)c) || strchr("+-.", c) != NULL; }

static mlpd_status read_line(reader *at, char *line) {
  line[strcspn(line, "#")] = '\0';
  char *text = line;
  while (isspace((unsigned char)*text)) text++;
  if (*text == '\0') return MLPD_OK;
  if (begins_number(*text)) {
    if (at->open == NULL)
      return fail_at(at, "numbers belong below \"weights 1\" or \"biases 1\", or behind \"sample\"");
    return read_numbers(at, "number", text, at->open);
  }
  char *const word = text;
  text += strcspn(text, "= \t\r\n");
  if (*text != '\0') *text++ = '\0';
  at->open = NULL;
  explain_lesson *const lesson = at->lesson;
  if (strcmp(word, "weights") == 0) return read_layer(at, word, lesson->weights, text);
  if (strcmp(word, "biases") == 0) return read_layer(at, word, lesson->biases, text);
  if (strcmp(word, "gain") == 0) return read_layer(at, word, lesson->gains, text);
  if (strcmp(word, "shift") == 0) return read_layer(at, word, lesson->shifts, text);
  if (strcmp(word, "scale") == 0) return open_list(at, word, word, &lesson->scale, text);
  if (strcmp(word, "sample") == 0) return read_sample(at, text);
  if (strcmp(word, "title") != 0) return read_setting(at, word, text);
  mlpd_text_printable(trim(text), lesson->title, sizeof lesson->title);
  return MLPD_OK;
}

/* No character but those of a text: an HDF5 file has some in its first line. */
static bool is_text(const char *line, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (iscntrl((unsigned char)line[i]) && !isspace((unsigned char)line[i])) return false;
  return true;
}

mlpd_status explain_read(FILE *stream, const char *name, explain_lesson *lesson) {
  *lesson = (explain_lesson){.name = name, .settings = explain_settings_default()};
  reader at = {.lesson = lesson};
  char *line = NULL;
  size_t bytes = 0;
  ssize_t length = 0;
  mlpd_status status = MLPD_OK;
  while (status == MLPD_OK && (length = getline(&line, &bytes, stream)) >= 0) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    at.line++;
    const size_t skipped = at.line == 1 && strncmp(line, byte_order_mark, 3) == 0 ? 3 : 0;
    if (!is_text(line, (size_t)length))
      status = fail_binary(&at);
    else
      status = read_line(&at, line + skipped);
  }
  if (status == MLPD_OK && ferror(stream) != 0)
    status = outcome_fail(MLPD_ERROR_FILE, "%s: cannot be read: %s", name, strerror(errno));
  free(line);
  return status;
}
