/* The trace of a run, if one was requested. */
#include "run/run.h"

mlpd_status run_trace_start(trainer *t) {
  const mlpd_train_options *const o = &t->prep.options;
  if (o->trace == NULL) return MLPD_OK;
  TRY(trace_create(t->comm, (uint32_t)t->prep.threads, o->trace_steps, stepper_trace_events(t->stepper), &t->trace));
  t->line = trace_timeline(t->trace);
  t->trace_begin = t->state.step + 1;
  stepper_trace(t->stepper, t->line);
  if (t->writer != NULL) checkpoint_writer_trace(t->writer, t->line);
  return MLPD_OK;
}

static void tell(trainer *t, mlpd_status written, uint64_t lost) {
  char text[1200];
  if (written != MLPD_OK) {
    t->result->trace_failed = true;
    (void)snprintf(text, sizeof text, "the trace could not be written: %s", mlpd_error_message());
    run_notice(t, text);
  } else if (lost > 0) {
    (void)snprintf(text, sizeof text,
                   "the trace lacks %llu events, because its memory was full; use fewer --trace-steps",
                   (unsigned long long)lost);
    run_notice(t, text);
  }
}

mlpd_status run_trace_write(trainer *t) {
  if (t->trace == NULL) return MLPD_OK;
  status_kept first;
  uint64_t lost = 0;
  status_keep(&first);
  /* The thread that writes checkpoints records as well. */
  if (t->writer != NULL) run_tell_checkpoint(t, checkpoint_writer_wait(t->writer));
  const mlpd_status written = trace_write(t->trace, t->prep.options.trace, t->trace_begin, &lost);
  if (written == MLPD_ERROR_MPI) return written;
  tell(t, written, lost);
  status_put_back(&first);
  return MLPD_OK;
}
