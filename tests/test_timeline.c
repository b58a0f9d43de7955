/* The recording of timelines, and the trace file written from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/timeline_json.h"

#include <cmocka.h>

static timeline *make(uint32_t threads, uint64_t steps, size_t events_a_step) {
  timeline *t = NULL;
  assert_int_equal(timeline_create(threads, steps, events_a_step, &t), MLPD_OK);
  return t;
}

static size_t events(const timeline *t, uint32_t track) { return t->tracks[track].count; }

/* ---- Recording ----------------------------------------------------------------------------------- */

static void test_off(void **state) {
  (void)state;
  timeline_next_step(NULL);
  assert_int_equal(timeline_begin(NULL), 0);
  assert_int_equal(timeline_begin_rare(NULL), 0);
  assert_int_equal(timeline_end(NULL, 0, TIMELINE_GATHER, 0, 0, 0), 0);
  timeline_free(NULL);
}

static void test_steps_that_are_traced(void **state) {
  (void)state;
  timeline *const t = make(2, 2, 4);
  assert_int_equal(timeline_begin(t), 0); /* before the first */
  for (int step = 0; step < 4; step++) {
    timeline_next_step(t);
    const uint64_t at = timeline_begin(t);
    assert_int_equal(at != 0, step < 2);
    assert_int_equal(timeline_end(t, 1, TIMELINE_FORWARD, 3, 64, at) >= at, 1);
  }
  assert_int_equal(events(t, 0), 0);
  assert_int_equal(events(t, 1), 2);
  const timeline_event *const last = &t->tracks[1].events[1];
  assert_int_equal(last->phase, TIMELINE_FORWARD);
  assert_int_equal(last->step, 1);
  assert_int_equal(last->first, 3);
  assert_int_equal(last->second, 64);
  assert_true(last->begin <= last->end && t->tracks[1].events[0].end <= last->begin);
  /* What comes between steps is recorded all the same. */
  (void)timeline_end(t, 0, TIMELINE_VALIDATE, 0, 0, timeline_begin_rare(t));
  assert_int_equal(events(t, 0), 1);
  assert_int_equal(t->tracks[0].events[0].step, 3);
  timeline_free(t);
}

static void test_full(void **state) {
  (void)state;
  timeline *const t = make(1, 5, 2);
  timeline_next_step(t);
  for (int i = 0; i < 13; i++) (void)timeline_end(t, 0, TIMELINE_GATHER, 0, 0, timeline_begin(t));
  assert_int_equal(events(t, 0), 10); /* 5 steps of 2 */
  assert_int_equal(timeline_lost(t), 3);
  (void)timeline_end(t, 0, TIMELINE_VALIDATE, 0, 0, timeline_begin_rare(t));
  assert_int_equal(events(t, 0), 11); /* there is room for what is rare */
  assert_int_equal(timeline_lost(t), 3);
  for (size_t i = 0; i < t->tracks[0].capacity; i++)
    (void)timeline_end(t, 0, TIMELINE_VALIDATE, 0, 0, timeline_begin_rare(t));
  assert_int_equal(events(t, 0), t->tracks[0].capacity);
  assert_int_equal(timeline_lost(t), 3 + 11);
  timeline_free(t);
}

static void test_size_is_bounded(void **state) {
  (void)state;
  timeline *const t = make(1, UINT64_MAX, 1000);
  assert_true(t->tracks[0].capacity * sizeof(timeline_event) <= 64 << 20);
  timeline_free(t);
}

/* ---- The file ------------------------------------------------------------------------------------ */

static const timeline_clock_map half_speed = {.tick = {1000, 3000}, .nanosecond = {500, 1500}};

static void test_clock_map(void **state) {
  (void)state;
  assert_int_equal(timeline_nanosecond(&half_speed, 1000), 500);
  assert_int_equal(timeline_nanosecond(&half_speed, 3000), 1500);
  assert_int_equal(timeline_nanosecond(&half_speed, 2000), 1000);
  assert_int_equal(timeline_nanosecond(&half_speed, 4000), 2000);
  assert_int_equal(timeline_nanosecond(&half_speed, 0), 0);
}

static json_t *write_and_parse(const timeline_process *p) {
  char *text = NULL;
  size_t bytes = 0;
  FILE *const stream = open_memstream(&text, &bytes);
  assert_non_null(stream);
  timeline_write_begin(stream);
  timeline_write_process(stream, p, 41);
  timeline_write_end(stream, "\"ranks\":1");
  assert_int_equal(fclose(stream), 0);
  json_error_t error;
  json_t *const root = json_loads(text, 0, &error);
  if (root == NULL) fail_msg("line %d: %s: %s", error.line, error.text, text);
  free(text);
  return root;
}

static const char *text_of(const json_t *event, const char *key) {
  return json_string_value(json_object_get(event, key));
}

static double number_of(const json_t *event, const char *key) { return json_number_value(json_object_get(event, key)); }

/* The event number `index` of those of kind ph. */
static const json_t *event_at(const json_t *root, const char *ph, size_t index) {
  size_t i;
  const json_t *event;
  json_array_foreach(json_object_get(root, "traceEvents"), i, event) {
    if (strcmp(text_of(event, "ph"), ph) == 0 && index-- == 0) return event;
  }
  return NULL;
}

static void test_file(void **state) {
  (void)state;
  timeline_event some[] = {
      {.begin = 2000, .end = 2200, .phase = TIMELINE_FORWARD, .step = 1, .first = 2, .second = 64},
      {.begin = 2000, .end = 2600, .phase = TIMELINE_STEP, .step = 1},
      {.begin = 2200, .end = 2201, .phase = TIMELINE_REDUCE, .step = 1, .first = 7, .second = 4096},
  };
  const uint64_t counts[] = {2, 0, 1, 0};
  const timeline_process p = {
      .rank = 3, .host = "a\"b\\c\n", .num_threads = 2, .counts = counts, .events = some, .clock = half_speed};
  json_t *const root = write_and_parse(&p);
  /* The step holds the layer: it comes first. */
  const json_t *const step = event_at(root, "X", 0), *const layer = event_at(root, "X", 1);
  assert_string_equal(text_of(step, "name"), "step");
  assert_string_equal(text_of(layer, "name"), "forward, layer 2");
  assert_string_equal(text_of(layer, "cat"), "forward");
  assert_float_equal(number_of(layer, "ts"), 1.0, 1e-9); /* microseconds */
  assert_float_equal(number_of(layer, "dur"), 0.1, 1e-9);
  assert_float_equal(number_of(step, "dur"), 0.3, 1e-9);
  assert_int_equal(number_of(layer, "pid"), 3);
  assert_int_equal(number_of(layer, "tid"), 0);
  const json_t *const arguments = json_object_get(layer, "args");
  assert_int_equal(number_of(arguments, "step"), 42);
  assert_int_equal(number_of(arguments, "rows"), 64);
  const json_t *const sum = event_at(root, "X", 2);
  assert_string_equal(text_of(sum, "name"), "reduce, bucket 7");
  assert_int_equal(number_of(json_object_get(sum, "args"), "bytes"), 4096);
  assert_null(event_at(root, "X", 3));
  /* Names: the process, both threads, the sums, but no writer of checkpoints, for it did nothing. */
  const json_t *const process = event_at(root, "M", 1);
  assert_string_equal(text_of(process, "name"), "process_name");
  assert_string_equal(text_of(json_object_get(process, "args"), "name"), "rank 3 on a\"b\\c\n");
  size_t threads = 0;
  for (size_t i = 0; event_at(root, "M", i) != NULL; i++)
    threads += strcmp(text_of(event_at(root, "M", i), "name"), "thread_name") == 0;
  assert_int_equal(threads, 3);
  assert_int_equal(number_of(json_object_get(root, "otherData"), "ranks"), 1);
  json_decref(root);
}

/* Sums that are under way at once lie on tracks of their own, those one after the other on one. */
static void test_sums(void **state) {
  (void)state;
  timeline_event sums[] = {
      {.begin = 1000, .end = 2000, .phase = TIMELINE_REDUCE, .first = 2},
      {.begin = 1100, .end = 3000, .phase = TIMELINE_REDUCE, .first = 1},
      {.begin = 2000, .end = 2500, .phase = TIMELINE_REDUCE, .first = 0},
  };
  const uint64_t counts[] = {0, 3, 0};
  const timeline_process p = {.host = "h", .num_threads = 1, .counts = counts, .events = sums, .clock = half_speed};
  json_t *const root = write_and_parse(&p);
  const double first = number_of(event_at(root, "X", 0), "tid");
  assert_float_equal(number_of(event_at(root, "X", 1), "tid"), first + 1, 0);
  assert_float_equal(number_of(event_at(root, "X", 2), "tid"), first, 0);
  json_decref(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_off),       cmocka_unit_test(test_steps_that_are_traced),
      cmocka_unit_test(test_full),      cmocka_unit_test(test_size_is_bounded),
      cmocka_unit_test(test_clock_map), cmocka_unit_test(test_file),
      cmocka_unit_test(test_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
