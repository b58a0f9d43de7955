#include <jansson.h>
#include <math.h>

#include "cli/outcome.h"
#include "program/doctor_report.h"

/* JSON has no NaN and no infinity. */
static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *count(uint64_t value) { return json_integer((json_int_t)value); }

static void put(json_t *object, const char *key, json_t *value) { (void)json_object_set_new(object, key, value); }

static json_t *machine(const mlpd_doctor_report *r) {
  json_t *o = json_object();
  put(o, "cpu", json_string(r->cpu));
  put(o, "nodes", json_integer(r->nodes));
  put(o, "ranks", json_integer(r->ranks));
  put(o, "ranks_on_node", json_integer(r->ranks_on_node));
  put(o, "threads", json_integer(r->threads));
  put(o, "cores", json_integer(r->cores));
  put(o, "physical_cores", r->physical_cores > 0 ? json_integer(r->physical_cores) : json_null());
  put(o, "quota_cores", r->quota_cores > 0 ? json_integer(r->quota_cores) : json_null());
  put(o, "peak_one", number(r->peak_one));
  put(o, "peak_all", number(r->peak_all));
  put(o, "memory_one", number(r->memory_one));
  put(o, "memory_all", number(r->memory_all));
  put(o, "cpu_share", number(r->cpu_share));
  put(o, "flushes_denormals", json_boolean(r->flushes_denormals));
  return o;
}

static json_t *network(const mlpd_doctor_report *r) {
  json_t *o = json_object();
  put(o, "widths", json_string(r->network));
  put(o, "parameters", count(r->parameters));
  put(o, "batch", count(r->batch));
  put(o, "lanes", count(r->lanes));
  return o;
}

static json_t *backends(const mlpd_doctor_report *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->num_backends; i++) {
    const mlpd_backend_speed *const b = &r->backends[i];
    json_t *o = json_object();
    put(o, "name", json_string(b->name));
    put(o, "library", json_string(b->description));
    put(o, "instructions", json_string(b->instructions));
    put(o, "taken", json_boolean(b->taken));
    put(o, "flops", number(b->flops));
    put(o, "fraction", number(b->fraction));
    (void)json_array_append_new(list, o);
  }
  return list;
}

static json_t *wire(const mlpd_doctor_report *r) {
  if (!(r->latency > 0) && !(r->bandwidth > 0) && r->num_wire_points == 0) return json_null();
  json_t *o = json_object(), *sums = json_array();
  put(o, "latency", number(r->latency));
  put(o, "bandwidth", number(r->bandwidth));
  for (int i = 0; i < r->num_wire_points; i++) {
    json_t *point = json_object();
    put(point, "bytes", count(r->wire[i].bytes));
    put(point, "seconds", number(r->wire[i].seconds));
    (void)json_array_append_new(sums, point);
  }
  put(o, "sums", sums);
  return o;
}

static json_t *data(const mlpd_doctor_report *r, const char *file) {
  if (!r->has_file) return json_null();
  json_t *o = json_object();
  put(o, "file", json_string(file));
  put(o, "file_system", json_string(r->file_system));
  put(o, "network_file_system", json_boolean(r->network_file_system));
  put(o, "rows", count(r->rows));
  put(o, "rows_per_second", number(r->read_rows));
  put(o, "bytes_per_second", number(r->read_bytes));
  return o;
}

static json_t *predictions(const mlpd_doctor_report *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->num_predictions; i++) {
    const mlpd_prediction *const p = &r->predictions[i];
    json_t *o = json_object();
    put(o, "ranks", json_integer(p->ranks));
    put(o, "lanes", count(p->lanes));
    put(o, "most_lanes", count(p->most_lanes));
    put(o, "step", number(p->step));
    put(o, "compute", number(p->compute));
    put(o, "input", number(p->input));
    put(o, "imbalance", number(p->imbalance));
    put(o, "latency", number(p->latency));
    put(o, "bandwidth", number(p->bandwidth));
    put(o, "samples_per_second", number(p->samples_per_second));
    put(o, "efficiency", number(p->efficiency));
    put(o, "wire_known", json_boolean(p->wire_known));
    put(o, "limit", json_string(mlpd_choice_name(mlpd_limit_choices, (int)p->limit)));
    put(o, "advice", json_string(mlpd_limit_choices[p->limit].help));
    (void)json_array_append_new(list, o);
  }
  return list;
}

static json_t *findings(const mlpd_doctor_report *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->num_findings; i++) {
    json_t *o = json_object();
    put(o, "id", json_string(r->findings[i].id));
    put(o, "what", json_string(r->findings[i].what));
    put(o, "cure", json_string(r->findings[i].cure));
    (void)json_array_append_new(list, o);
  }
  return list;
}

/* Seconds, bytes, flop/s and their quotients throughout. The results of jansson's setters, which accept NULL, are
 * ignored; that of writing the text is checked. */
mlpd_status doctor_print_json(const mlpd_doctor_report *r, const char *file, FILE *stream) {
  json_t *root = json_object();
  put(root, "machine", machine(r));
  put(root, "network", network(r));
  put(root, "backends", backends(r));
  put(root, "wire", wire(r));
  put(root, "data", data(r, file));
  put(root, "step", json_string(r->step));
  put(root, "measured_step", number(r->step_seconds));
  put(root, "predictions", predictions(r));
  put(root, "findings", findings(r));
  put(root, "seconds", number(r->seconds));
  const int failed = json_dumpf(root, stream, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
  json_decref(root);
  if (failed != 0) return outcome_fail(MLPD_ERROR_FILE, "the report cannot be written as JSON");
  (void)fprintf(stream, "\n");
  return MLPD_OK;
}
