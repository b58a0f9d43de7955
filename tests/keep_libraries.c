/* Linked into programs that run under the leak sanitizer: keeps Open MPI's components loaded until the process ends, so
 * that their leaks have names, which tests/lsan.supp lists. */
int dlclose(void *handle);

__attribute__((visibility("default"))) int dlclose(void *handle) {
  (void)handle;
  return 0;
}
