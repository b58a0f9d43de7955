# What programs that are linked with the shared library rely on: its symbols, and the sizes of public structs, against
# tests/abi.txt. Where a change is meant, and is said in the version (a program built before may break): tests/abi > tests/abi.txt

load helper

setup() {
  unless_sanitized "a test of the build without sanitizers"
  build=$(cd "$(dirname "$(command -v "$MLPDIST")")" && pwd)
  [ -e "$build/libmlpdist.so" ] || skip "no shared library beside the program"
}

@test "the shared library's symbols and the sizes of public structs are those of tests/abi.txt" {
  [ "$(uname -m)" = x86_64 ] || skip "sizes are those of x86-64"
  "$BATS_TEST_DIRNAME/abi" "$build" > "$BATS_TEST_TMPDIR/abi.txt"
  diff "$BATS_TEST_DIRNAME/abi.txt" "$BATS_TEST_TMPDIR/abi.txt" ||
    fail "removed or changed (<): programs built before break; new (>): run tests/abi > tests/abi.txt"
}

@test "the shared library exports names of mlpd_ alone" {
  local others
  others=$(nm -D --defined-only "$build/libmlpdist.so" | awk '{ print $3 }' | grep -vE '^(mlpd_|\.gomp_critical)' || true)
  [ -z "$others" ] || fail "$others"
}

@test "the header has no FILE of the C library, which other languages and other C libraries cannot pass" {
  ! grep -nw FILE "$BATS_TEST_DIRNAME/../include/mlpdist.h" || fail "see above"
}

@test "a program that loads and unloads the shared library again and again does not grow" {
  cat > "$BATS_TEST_TMPDIR/unload.c" << 'END'
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
int main(int count, char **values) {
  size_t first = 0;
  for (int i = 0; i < 8; i++) {
    void *const library = count > 1 ? dlopen(values[1], RTLD_NOW) : NULL, *model = NULL;
    if (library == NULL) return puts(dlerror()), 1;
    int (*load)(const char *, void **) = (int (*)(const char *, void **))dlsym(library, "mlpd_model_load");
    if (load("no-such.h5", &model) == 0) return 1; /* starts HDF5 */
    (void)dlclose(library);
    if (i == 0) first = mallinfo2().uordblks;
  }
  const size_t last = mallinfo2().uordblks;
  printf("%zu bytes after the first time, %zu in the end\n", first, last);
  return last > first + 100000;
}
END
  "${CC:-cc}" -o "$BATS_TEST_TMPDIR/unload" "$BATS_TEST_TMPDIR/unload.c" -ldl || fail "not compiled"
  run "$BATS_TEST_TMPDIR/unload" "$build/libmlpdist.so"
  [ "$status" = 0 ] || fail "$output"
}
