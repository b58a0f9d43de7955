/* What the fuzzers share: a folder, the file under test, what is asked of each refusal, and runs in a process apart. */
#ifndef MLPDIST_FUZZ_H
#define MLPDIST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer calls it with each input. Here the first byte of it chooses how the rest, a file, is read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Path of name in a folder of this process, which is removed when it ends. Static storage; 4 at a time. */
const char *fuzz_path(const char *name);

/* Writes the file name of that folder; returns its path. */
const char *fuzz_write(const char *name, const uint8_t *data, size_t size);

/* Stops the fuzzer with what was found. */
#define FUZZ_ASSERT(condition, ...)           \
  do {                                        \
    if (!(condition)) fuzz_fail(__VA_ARGS__); \
  } while (0)
_Noreturn void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A refusal is one line that names path. */
void fuzz_check_message(const char *message, const char *path);

/* Runs read_file(path) in another process, for code with a library below that may crash: its faults are counted and
 * told at the end, those of our own code stop the fuzzer. What the run covered counts as this process's. Both arguments
 * are the same at each call. */
void fuzz_apart(void (*read_file)(const char *path), const char *path);

#endif
