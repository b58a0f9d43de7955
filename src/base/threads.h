/* Threads of the system. Nothing here is collective. */
#ifndef MLPDIST_THREADS_H
#define MLPDIST_THREADS_H

/* Starts `count` threads that exist at the same time, and ends them. Returns 0, or the errno of the first that could
 * not start: a limit to processes or memory. OpenMP would end the process there, so this is tried first. */
int threads_try(int count);

#endif
