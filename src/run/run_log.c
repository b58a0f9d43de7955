/* Sources: JSON Lines, https://jsonlines.org; TensorFlow's event.proto and summary.proto; its record format,
 * "TFRecord", with CRC-32C (Castagnoli, as in RFC 3720) of the length and of the data. */
#define _GNU_SOURCE /* CLOCK_REALTIME */
#include "run/run_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/protobuf.h"

enum { NAME_BYTES = 64 };

static const int CHOICES[NUM_RUN_LOGS] = {[RUN_LOG_JSON] = MLPD_LOG_JSON, [RUN_LOG_EVENTS] = MLPD_LOG_TENSORBOARD};
static const run_file FILES[NUM_RUN_LOGS] = {[RUN_LOG_JSON] = RUN_METRICS_JSON, [RUN_LOG_EVENTS] = RUN_METRICS_EVENTS};

run_file run_log_file(run_log log) { return FILES[log]; }

bool run_log_wanted(const char *list, run_log log) {
  const char *const name = mlpd_choice_name(mlpd_log_choices, CHOICES[log]);
  const size_t length = strlen(name);
  for (const char *at = list; at != NULL && *at != '\0'; at += strcspn(at, ", ")) {
    at += strspn(at, ", ");
    if (strncmp(at, name, length) == 0 && strcspn(at, ", ") == length) return true;
  }
  return false;
}

/* ---- Rows of metrics.csv ----------------------------------------------------------------------------- */

/* The next field of a line, at most NAME_BYTES - 1 of it; false at the end. */
static bool next_field(const char **line, char field[NAME_BYTES]) {
  if (*line == NULL || **line == '\0' || **line == '\n') return false;
  const size_t length = strcspn(*line, ",\n");
  (void)snprintf(field, NAME_BYTES, "%.*s", (int)length, *line);
  *line += length;
  if (**line == ',') ++*line;
  return true;
}

/* ---- JSON -------------------------------------------------------------------------------------------- */

static mlpd_status add_json(const char *head, const char *row, growing_file *g) {
  char name[NAME_BYTES], value[NAME_BYTES], text[3 * NAME_BYTES];
  for (bool first = true; next_field(&head, name); first = false) {
    if (!next_field(&row, value)) value[0] = '\0';
    const bool is_number = value[0] != '\0' && isfinite(strtod(value, NULL));
    const int length =
        snprintf(text, sizeof text, "%s\"%s\": %s", first ? "{" : ", ", name, is_number ? value : "null");
    TRY(growing_append(g, text, (size_t)length));
  }
  return growing_append(g, "}\n", 2);
}

/* ---- Events of TensorBoard --------------------------------------------------------------------------- */

enum { EVENT_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5, EVENT_SOURCE = 10 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, SOURCE_WRITER = 1 };

/* Columns of metrics.csv, and how TensorBoard groups them. */
static const char *const TAGS[][2] = {{"train_loss", "loss/train"},
                                      {"valid_loss", "loss/valid"},
                                      {"train_metric", "metric/train"},
                                      {"valid_metric", "metric/valid"},
                                      {"lr", "run/lr"},
                                      {"samples_per_second", "run/samples_per_second"},
                                      {"epoch", "run/epoch"}};
enum { NUM_TAGS = sizeof TAGS / sizeof *TAGS };

static const char *tag_of(const char *column) {
  for (int i = 0; i < NUM_TAGS; i++)
    if (strcmp(TAGS[i][0], column) == 0) return TAGS[i][1];
  return NULL;
}

static uint32_t masked_crc(const void *data, size_t count) {
  const unsigned char *const bytes = data;
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < count; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* Numbers are those of x86-64: the lowest byte first, as in the format. */
static mlpd_status add_record(const protobuf *event, growing_file *g) {
  const uint64_t length = event->count;
  const uint32_t of_length = masked_crc(&length, sizeof length), of_data = masked_crc(event->bytes, event->count);
  if (event->failed) return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory", g->path);
  TRY(growing_append(g, &length, sizeof length));
  TRY(growing_append(g, &of_length, sizeof of_length));
  TRY(growing_append(g, event->bytes, event->count));
  return growing_append(g, &of_data, sizeof of_data);
}

static void put_time(protobuf *event) {
  struct timespec now;
  (void)clock_gettime(CLOCK_REALTIME, &now);
  protobuf_double(event, EVENT_TIME, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
}

static mlpd_status end_event(protobuf *event, growing_file *g) {
  const mlpd_status status = add_record(event, g);
  protobuf_free(event);
  return status;
}

/* The first event of a file says its version; ours says who wrote it, by which the file is recognised. */
static mlpd_status begin_events(growing_file *g) {
  protobuf event = {0};
  put_time(&event);
  protobuf_text(&event, EVENT_VERSION, "brain.Event:2");
  const size_t source = protobuf_open(&event, EVENT_SOURCE);
  protobuf_text(&event, SOURCE_WRITER, "mlpdist");
  protobuf_close(&event, source);
  return end_event(&event, g);
}

static void put_value(protobuf *event, const char *tag, float value) {
  const size_t place = protobuf_open(event, SUMMARY_VALUE);
  protobuf_text(event, VALUE_TAG, tag);
  protobuf_float(event, VALUE_SIMPLE, value);
  protobuf_close(event, place);
}

static mlpd_status add_event(const char *head, const char *row, growing_file *g) {
  protobuf event = {0}, summary = {0};
  char name[NAME_BYTES], value[NAME_BYTES];
  put_time(&event);
  while (next_field(&head, name) && next_field(&row, value)) {
    const char *const tag = tag_of(name);
    if (strcmp(name, "step") == 0) protobuf_integer(&event, EVENT_STEP, strtoull(value, NULL, 10));
    if (tag != NULL && value[0] != '\0') put_value(&summary, tag, strtof(value, NULL));
  }
  const size_t place = protobuf_open(&event, EVENT_SUMMARY);
  protobuf_append(&event, &summary);
  protobuf_close(&event, place);
  protobuf_free(&summary);
  return end_event(&event, g);
}

/* ------------------------------------------------------------------------------------------------------ */

mlpd_status run_log_begin(run_log log, growing_file *g) {
  return log == RUN_LOG_EVENTS ? begin_events(g) : growing_append(g, "", 0);
}

mlpd_status run_log_add(run_log log, const char *head, const char *row, growing_file *g) {
  return log == RUN_LOG_EVENTS ? add_event(head, row, g) : add_json(head, row, g);
}
