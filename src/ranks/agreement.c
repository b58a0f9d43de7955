#define _GNU_SOURCE /* dl_iterate_phdr */
#include "ranks/agreement.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#if defined(__linux__)
#include <link.h>
#endif

#include "base/memory.h"
#include "ranks/comm.h"

/* The order of the texts in messages between ranks. Never change it: different builds must understand each other. */
enum { BUILD, BACKEND, INSTRUCTIONS, OPTIONS, NUM_TEXTS };

static const char *text_of(const agreement *a, int which) {
  switch (which) {
    case BUILD:
      return a->build;
    case BACKEND:
      return a->backend;
    case INSTRUCTIONS:
      return a->instructions;
    default:
      return a->options;
  }
}

/* ---- Differences ---------------------------------------------------------------------------------- */

/* Sets bit `which` of differing[rank] if the hash of that rank's text differs from rank 0's. Every rank gets all. */
static mlpd_status compare_hashes(mlpd_comm *comm, const agreement *mine, unsigned *differing) {
  const int size = mlpd_comm_size(comm);
  uint64_t hash[NUM_TEXTS], *all = NULL;
  for (int which = 0; which < NUM_TEXTS; which++)
    hash[which] = XXH3_64bits(text_of(mine, which), strlen(text_of(mine, which)));
  const mlpd_status status = comm_gather_equal(comm, hash, sizeof hash, "comparison of the ranks", &all);
  for (int rank = 0; status == MLPD_OK && rank < size; rank++)
    for (int which = 0; which < NUM_TEXTS; which++)
      if (all[rank * NUM_TEXTS + which] != all[which]) differing[rank] |= 1u << which;
  free(all);
  return status;
}

/* Sends rank 0's text to all ranks; the caller frees it. */
static mlpd_status spread_text(mlpd_comm *comm, const agreement *mine, int which, char **text) {
  uint64_t length = strlen(text_of(mine, which));
  TRY(comm_broadcast(comm, &length, sizeof length, 0));
  const mlpd_status status = memory_allocate(text, length + 1, 1, "comparison of the ranks");
  TRY(mlpd_comm_agree(comm, status));
  if (mlpd_comm_rank(comm) == 0) memcpy(*text, text_of(mine, which), length);
  return comm_broadcast(comm, *text, length, 0);
}

/* Finds the first lines that differ, without their line ends. */
static void first_difference(const char **mine, int *my_length, const char **theirs, int *their_length) {
  for (;;) {
    *my_length = (int)strcspn(*mine, "\n");
    *their_length = (int)strcspn(*theirs, "\n");
    if (*my_length != *their_length || strncmp(*mine, *theirs, (size_t)*my_length) != 0) return;
    if ((*mine)[*my_length] == '\0' || (*theirs)[*their_length] == '\0') return;
    *mine += *my_length + 1;
    *theirs += *their_length + 1;
  }
}

/* Fails: this rank's text is not rank 0's. mlpd_comm_agree adds the rank to the message. */
static mlpd_status fail_text(int which, const char *mine, const char *theirs) {
  int my_length = 0, their_length = 0;
  first_difference(&mine, &my_length, &theirs, &their_length);
  if (which == OPTIONS)
    return FAIL(MLPD_ERROR_USAGE, "this rank has other options than rank 0: '%.*s' here, '%.*s' on rank 0", my_length,
                mine, their_length, theirs);
  if (which == BACKEND)
    return FAIL(MLPD_ERROR_USAGE,
                "this rank multiplies matrices with %.*s, rank 0 with %.*s: install the same on all nodes, or choose "
                "another --backend",
                my_length, mine, their_length, theirs);
  return FAIL(MLPD_ERROR_USAGE, "this rank runs %.*s, rank 0 runs %.*s: start the same program on all nodes", my_length,
              mine, their_length, theirs);
}

/* ---- Instruction sets ----------------------------------------------------------------------------- */

/* The lowest rank whose instruction set differs from rank 0's writes the notice for all ranks. */
static mlpd_status make_notice(mlpd_comm *comm, const unsigned *differing, const char *mine, const char *theirs,
                               const char *pin, char *notice) {
  const int size = mlpd_comm_size(comm);
  int lowest = size, count = 0;
  for (int rank = size - 1; rank > 0; rank--)
    if ((differing[rank] >> INSTRUCTIONS & 1u) != 0) {
      lowest = rank;
      count++;
    }
  char more[48] = "";
  if (count > 1) (void)snprintf(more, sizeof more, " (and %d more)", count - 1);
  if (mlpd_comm_rank(comm) == lowest)
    (void)snprintf(notice, AGREEMENT_NOTICE_BYTES,
                   "rank %d of %d on %s%s computes with %s, rank 0 with %s: the weights will depend on which rank "
                   "computes what; give %s the same value on all ranks (mpirun -x) to prevent it",
                   lowest, size, comm_host(comm), more, mine, theirs, pin);
  return comm_broadcast(comm, notice, AGREEMENT_NOTICE_BYTES, lowest);
}

/* ---- The comparison ------------------------------------------------------------------------------- */

mlpd_status agreement_check(mlpd_comm *comm, const agreement *mine, const char *pin, char *notice) {
  const int size = mlpd_comm_size(comm), me = mlpd_comm_rank(comm);
  memset(notice, 0, AGREEMENT_NOTICE_BYTES);
  if (size == 1) return MLPD_OK;
  unsigned *differing = NULL, any = 0;
  mlpd_status status = memory_allocate(&differing, (size_t)size, sizeof *differing, "comparison of the ranks");
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  TRY_GOTO(status, compare_hashes(comm, mine, differing), done);
  for (int rank = 0; rank < size; rank++) any |= differing[rank];
  /* Errors come first: a notice about a run that does not start would be noise. */
  static const int order[NUM_TEXTS] = {BUILD, BACKEND, OPTIONS, INSTRUCTIONS};
  for (int i = 0; i < NUM_TEXTS && status == MLPD_OK; i++) {
    const int which = order[i];
    if ((any >> which & 1u) == 0) continue;
    char *theirs = NULL;
    const bool differs = (differing[me] >> which & 1u) != 0;
    status = spread_text(comm, mine, which, &theirs);
    if (status == MLPD_OK && which == INSTRUCTIONS)
      status = make_notice(comm, differing, text_of(mine, which), theirs, pin, notice);
    else if (status == MLPD_OK)
      status = mlpd_comm_agree(comm, differs ? fail_text(which, text_of(mine, which), theirs) : MLPD_OK);
    free(theirs);
  }
done:
  free(differing);
  return status;
}

/* ---- This process --------------------------------------------------------------------------------- */

#if defined(__linux__)
/* Hashes the machine code of the program or library that contains this function. The code is position-independent, so
 * the hash does not depend on its address. */
static int hash_own_code(struct dl_phdr_info *object, size_t size, void *hash) {
  (void)size;
  const char *const here = (const char *)&hash_own_code;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *const segment = &object->dlpi_phdr[i];
    const uintptr_t start = object->dlpi_addr + segment->p_vaddr, offset = (uintptr_t)here - start;
    if (segment->p_type != PT_LOAD || (uintptr_t)here < start || offset >= segment->p_filesz) continue;
    *(uint64_t *)hash = XXH3_64bits(here - offset, segment->p_filesz);
    return 1;
  }
  return 0;
}
#endif

static uint64_t code_hash(void) {
  uint64_t hash = 0;
#if defined(__linux__)
  (void)dl_iterate_phdr(hash_own_code, &hash);
#endif
  return hash;
}

mlpd_status agreement_of_process(mlpd_comm *comm, const backend *gemm, const char *options, char *notice) {
  char build[512];
  (void)snprintf(build, sizeof build, "%s, code %016llx", mlpd_build_description(), (unsigned long long)code_hash());
  return agreement_check(comm,
                         &(agreement){.build = build,
                                      .backend = gemm->description,
                                      .instructions = gemm->instructions != NULL ? gemm->instructions() : "",
                                      .options = options},
                         gemm->pin != NULL ? gemm->pin : "", notice);
}
