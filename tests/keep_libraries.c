/* Linked into what runs under the leak sanitizer: with Open MPI's components kept loaded until the process ends,
 * their leaks have names, which tests/lsan.supp knows. */
int dlclose(void *handle);

__attribute__((visibility("default"))) int dlclose(void *handle) {
  (void)handle;
  return 0;
}
