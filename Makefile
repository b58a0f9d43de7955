# mlpdist: `make help` lists the targets and variables.

BUILD := build
# From another folder (make -f ../Makefile) the same is made in the sources' folder, with BUILD where make was called.
ifneq ($(words $(CURDIR) $(abspath $(BUILD))),2)
$(error make cannot work in folders with a blank in their names: $(CURDIR), BUILD $(abspath $(BUILD)))
endif
TOP := $(patsubst %/,%,$(dir $(realpath $(filter-out Makefile ./Makefile,$(firstword $(MAKEFILE_LIST))))))
ifneq ($(filter-out $(realpath $(CURDIR)),$(TOP)),)
.PHONY: elsewhere $(or $(MAKECMDGOALS),all)
.DEFAULT_GOAL := elsewhere
$(or $(MAKECMDGOALS),all): elsewhere
	@:
elsewhere:
	@+$(MAKE) --no-print-directory -C $(TOP) BUILD='$(abspath $(BUILD))' $(MAKECMDGOALS)
else

PREFIX := /usr/local
BINDIR := $(PREFIX)/bin
LIBDIR := $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include
DATADIR := $(PREFIX)/share/mlpdist
DOCDIR := $(PREFIX)/share/doc/mlpdist
MANDIR := $(PREFIX)/share/man
COMPLETIONDIR := $(PREFIX)/share/bash-completion/completions
ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar
LD ?= ld
OBJCOPY ?= objcopy
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
CFLAGS ?= -O3 -g
KERNEL_CFLAGS :=
AVX512_CFLAGS :=
MPI :=
ONEDNN := 1
CBLAS := 1
FORTRAN := 1
ifeq ($(origin FC),default)
FC := gfortran
endif
TARGET_CLONES := 1
WERROR := 0
SANITIZE :=
MPI_NP :=
BENCH_OPTIONS :=
# Where libraries were said to be, in earlier calls of make for this BUILD.
-include $(BUILD)/settings.mk
# V=1 shows the commands.
V := 0
ifneq ($(V),1)
quiet = @echo '  $(1)'; 
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

ifneq ($(filter $(abspath $(BUILD))/%,$(CURDIR)/),)
$(error BUILD must be a folder of its own, not $(BUILD), which holds the sources)
endif

# ---- what there is -------------------------------------------------------------------------------
LAYERS := base options kernels loss network lanes ranks sum h5 data source csv convert model export import step prepare run doctor
LIB_SOURCES := $(sort $(foreach layer,$(LAYERS),$(wildcard src/$(layer)/*.c)))
PROGRAM_LAYERS := cli explain program
PROGRAM_SOURCES := $(sort $(foreach layer,$(PROGRAM_LAYERS),$(wildcard src/$(layer)/*.c)))
TEST_SOURCES := $(sort $(wildcard tests/test_*.c))
BENCH_SOURCES := $(sort $(wildcard tests/bench_*.c))
BATS_TESTS := $(sort $(wildcard tests/*.bats))
# A test that runs under mpirun says so in its first line, with the numbers of ranks: /* mpi: 1 2 3 */
MPI_TESTS := $(foreach test,$(TEST_SOURCES),$(if $(shell sed -n '1{/^\/\* mpi:/p}' $(test)),$(test)))

LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o)
PROGRAM_OBJECTS := $(PROGRAM_SOURCES:%.c=$(BUILD)/%.o)
TESTS := $(TEST_SOURCES:tests/%.c=$(BUILD)/tests/%)
BENCHES := $(BENCH_SOURCES:tests/%.c=$(BUILD)/tests/%)

VERSION := $(shell sed -n 's/^.define MLPD_VERSION "\(.*\)"/\1/p' include/mlpdist.h)
STATIC := $(BUILD)/libmlpdist.a
SONAME := libmlpdist.so.0
SHARED := $(BUILD)/libmlpdist.so.$(VERSION)
PROGRAM := $(if $(PROGRAM_SOURCES),$(BUILD)/mlpdist)

# ---- flags ---------------------------------------------------------------------------------------
# -ffp-contract=off and no -ffast-math: the same bits on every instruction set our own loops run on.
# Constants are enumerations; clang 19 counts it as a conversion when one meets a double.
WARNINGS := -Wall -Wextra -Wconversion $(if $(findstring clang,$(CC)),-Wno-enum-float-conversion) $(if $(filter 1,$(WERROR)),-Werror)
ALL_CFLAGS = $(CFLAGS) -std=gnu11 $(OPENMP) -ffp-contract=off -fno-math-errno -fno-trapping-math -fvisibility=hidden -fPIC \
  $(WARNINGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
# Simulated ranks take turns on one thread, which OpenMP's bookkeeping does not bear.
OPENMP = $(if $(filter smpi,$(MPI)),-Wno-unknown-pragmas,-fopenmp)
ALL_CPPFLAGS = -Iinclude -Isrc -include $(BUILD)/config.h $(DEPS_CFLAGS) $(CPPFLAGS)
ALL_LDFLAGS = -fopenmp $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)
# The program finds the default data set where it is installed, or beside the source tree.
PROGRAM_CPPFLAGS = -DMLPD_DATADIR='"$(DATADIR)"' -DMLPD_SOURCE_DATADIR='"$(CURDIR)/datasets"'

# Under a sanitizer, and there only: see the file.
KEEP_LIBRARIES := $(if $(SANITIZE),$(BUILD)/tests/keep_libraries.o)

# The code of unit tests (not the library that they test) is compiled with -O1, and linked by gold if that is installed: this
# halves the time of their build. Kernels that a test includes are then not vectorized, of which clang warns.
TEST_CFLAGS := $(if $(filter -O2 -O3,$(CFLAGS)),-O1 -Wno-pass-failed)
TEST_LDFLAGS := $(if $(shell command -v ld.gold 2> /dev/null),-fuse-ld=gold)

# ---- configuration, once -------------------------------------------------------------------------
# No compiler is asked for goals that build nothing.
ifneq ($(filter-out clean help format uninstall install-files dist deb,$(or $(MAKECMDGOALS),all)),)
# $(call remember,file,text): writes text to file where it holds something else, so that what was made
# with other settings is made again.
remember = $(if $(filter-out x,x$(shell mkdir -p $(BUILD); printf '%s' '$(subst ','\'',$(2))' | cmp -s - $(1) || \
  { printf '%s' '$(subst ','\'',$(2))' > $(1) || echo failed; })),$(error cannot write $(1)))
COMPILER := $(shell $(CC) --version 2>&1 | head -n 1)
LIBRARIES := MPI HDF5 JANSSON XXHASH ZLIB DNNL CBLAS
SETTINGS := CC CFLAGS CPPFLAGS LDFLAGS MPI MPICC ONEDNN CBLAS TARGET_CLONES PKG_CONFIG PKG_CONFIG_PATH CPATH C_INCLUDE_PATH \
  LIBRARY_PATH $(LIBRARIES:%=%_DIR) $(LIBRARIES:%=%_ROOT)
$(call remember,$(BUILD)/config.key,$(COMPILER) $(foreach name,$(SETTINGS),$(if $($(name)),$(name)=$($(name)))))

include $(BUILD)/config.mk
$(foreach name,$(SETTINGS),$(eval $(BUILD)/config.mk: export $(name) := $$($(name))))
$(BUILD)/config.mk: scripts/configure $(BUILD)/config.key
	@scripts/configure $(BUILD)
$(BUILD)/config.key $(BUILD)/config.h:;

$(call remember,$(BUILD)/flags,$(ALL_CFLAGS) $(KERNEL_CFLAGS) $(AVX512_CFLAGS) $(TEST_CFLAGS) $(TEST_LDFLAGS) $(ALL_CPPFLAGS) $(ALL_LDFLAGS))
$(call remember,$(BUILD)/program_flags,$(PROGRAM_CPPFLAGS))
$(call remember,$(BUILD)/objects,$(LIB_OBJECTS))
else
-include $(BUILD)/config.mk
endif

# ---- library and program -------------------------------------------------------------------------
# The Fortran module, where there is a compiler. Programs compile the installed source with their own.
FORTRAN_MODULE := $(if $(filter 1,$(FORTRAN)),$(if $(shell command -v $(FC) 2> /dev/null),$(BUILD)/fortran/mlpdist.o))
.PHONY: all library man
all: library $(PROGRAM) man $(FORTRAN_MODULE)
library: $(STATIC) $(BUILD)/libmlpdist.so

$(BUILD)/%.o: %.c $(BUILD)/flags $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(call quiet,compile $<)$(CC) $(ALL_CPPFLAGS) $(if $(filter src/program/%,$<),$(PROGRAM_CPPFLAGS)) $(ALL_CFLAGS) \
	  $(if $(filter src/kernels/%,$<),$(KERNEL_CFLAGS)) \
	  $(if $(filter %/native_avx512.c,$<),$(AVX512_CFLAGS)) -MMD -MP -c -o $@ $<

$(PROGRAM_OBJECTS): $(BUILD)/program_flags
$(BUILD)/flags $(BUILD)/program_flags $(BUILD)/objects:;

# One object with the hidden symbols made local: the static library, too, shows its public names only.
$(BUILD)/libmlpdist.o: $(LIB_OBJECTS) $(BUILD)/objects
	$(call quiet,link    $@)$(LD) -r -o $@ $(LIB_OBJECTS)
	@$(OBJCOPY) --localize-hidden $@

$(STATIC): $(BUILD)/libmlpdist.o
	@rm -f $@
	$(call quiet,archive $@)$(AR) rcs $@ $<

# nodelete: dlclose() leaves it loaded, with HDF5 and its tables, which would be new ones after each dlopen().
$(SHARED): $(LIB_OBJECTS) $(BUILD)/objects
	$(call quiet,link    $@)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,-z,nodelete -o $@ $(LIB_OBJECTS) $(DEPS_LIBS)

$(BUILD)/libmlpdist.so: $(SHARED)
	@ln -sf $(<F) $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $@

# Against the static library: runs from the build folder with no LD_LIBRARY_PATH.
$(BUILD)/mlpdist: $(PROGRAM_OBJECTS) $(KEEP_LIBRARIES) $(STATIC)
	$(call quiet,link    $@)$(CC) $(ALL_LDFLAGS) $(MPI_PROGRAM) -o $@ $(PROGRAM_OBJECTS) $(KEEP_LIBRARIES) $(STATIC) $(DEPS_LIBS)

$(BUILD)/fortran/mlpdist.o: include/mlpdist.f90
	@mkdir -p $(@D)
	$(call quiet,fortran $<)$(FC) -std=f2018 -O2 -g -fPIC -Wall -Wextra $(if $(filter 1,$(WERROR)),-Werror) -J$(@D) -c -o $@ $<

# Manual pages and completion, which the program prints from its tables. A program of simulated ranks runs under smpirun
# alone.
COMMANDS := $(patsubst src/program/cmd_%.c,%,$(wildcard src/program/cmd_*.c))
MAN_PAGES := $(if $(PROGRAM),$(if $(filter smpi,$(MPI)),,$(BUILD)/man/mlpdist.1 $(COMMANDS:%=$(BUILD)/man/mlpdist-%.1)))
COMPLETION := $(if $(MAN_PAGES),$(BUILD)/man/mlpdist.bash)
man: $(MAN_PAGES) $(COMPLETION)

$(BUILD)/man/mlpdist.1: $(BUILD)/mlpdist
	@mkdir -p $(@D)
	@$< help --man > $@

$(BUILD)/man/mlpdist-%.1: $(BUILD)/mlpdist
	@mkdir -p $(@D)
	@$< help $* --man > $@

$(BUILD)/man/mlpdist.bash: $(BUILD)/mlpdist
	@mkdir -p $(@D)
	@$< help --completion > $@

-include $(LIB_OBJECTS:.o=.d) $(PROGRAM_OBJECTS:.o=.d) $(TESTS:=.d) $(BENCHES:=.d)

# ---- tests ---------------------------------------------------------------------------------------
.PHONY: test check test-unit test-program tests check-cmocka check-mpi asan tsan valgrind bench
tests: $(TESTS)
test check: test-unit test-program

# Unit tests reach internal functions: they link with this archive, which hides nothing.
$(BUILD)/internal.a: $(LIB_OBJECTS) $(BUILD)/objects
	@rm -f $@
	@$(AR) rcs $@ $(LIB_OBJECTS)

$(TESTS): $(BUILD)/tests/%: tests/%.c $(BUILD)/internal.a $(KEEP_LIBRARIES) $(BUILD)/flags | check-cmocka
	@mkdir -p $(@D)
	$(call quiet,test    $<)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) $(TEST_CFLAGS) -MMD -MP -MF $@.d -MT $@ \
	  $(TEST_LDFLAGS) $(ALL_LDFLAGS) -o $@ $< $(KEEP_LIBRARIES) $(BUILD)/internal.a -lcmocka $(DEPS_LIBS)

check-cmocka:
	@printf '#include <setjmp.h>\n#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <cmocka.h>\n' | \
	  $(CC) -E -x c -o /dev/null - 2> /dev/null || \
	  { echo 'the tests need the library cmocka (Debian and Ubuntu: package libcmocka-dev)' >&2; exit 1; }

test-unit: $(TESTS)
	scripts/run-tests unit $(TESTS)

test-program: all $(BENCHES)
	MLPDIST=$(abspath $(BUILD)/mlpdist) MPI_LAUNCH='$(MPI_LAUNCH)' scripts/run-tests bats $(BATS_TESTS)

check-mpi: $(MPI_TESTS:tests/%.c=$(BUILD)/tests/%)
	MPI_NP='$(MPI_NP)' MPI_LAUNCH='$(MPI_LAUNCH)' scripts/run-tests mpi $(MPI_TESTS:tests/%.c=$(BUILD)/tests/%)

# Without clones: the sanitizers see one version of each loop, and ifunc resolvers run before they are set up.
# Kernels, where most of the time of a training goes, take half of it with -O2; for the rest -O2 would take longer to compile
# than it saves. If this processor has no AVX-512, its tiles do not run, and get -O1 as well (9 s instead of 40). -g1: the lines
# that the sanitizers name. When one rank fails, mpirun kills the others at once instead of a second or two later: their
# messages in that time are tested without sanitizers.
ASAN := BUILD=$(BUILD)/asan CFLAGS='-O1 -g1 -fno-omit-frame-pointer' KERNEL_CFLAGS=-O2 SANITIZE=address,undefined TARGET_CLONES=0 \
  AVX512_CFLAGS=$(if $(shell grep -m 1 avx512f /proc/cpuinfo 2> /dev/null),,-O1) \
  MPI_LAUNCH='$(MPI_LAUNCH)$(if $(findstring --oversubscribe,$(MPI_LAUNCH)), --mca odls_base_sigkill_timeout 0)'
# Tests of scripts, launchers and documents run the same code of ours as the others, many times; layers and reference
# compare values of code that the unit tests reach under the sanitizers (98 % of the lines of network, step and sum).
ASAN_LEAVES_OUT := $(patsubst %,tests/%.bats,bench hosts install instructions layers manual readme reference scaling \
  scripts simulate slurm synthetic)
# The unit tests are the runs on one rank. (fast_unwind_on_malloc=0 would double the time: see tests/keep_libraries.c.)
# Memory that was freed is kept from use until 16 MiB more are freed, not 256: each child that tries an HDF5 file (h5_trial)
# copies the page tables of all of it. splits.bats compares one random configuration. A rank of Open MPI leaks at its end what
# tests/lsan.supp leaves out, by the names of libraries; to find the functions, too, takes 40 % of a short run on two ranks
# (symbolize). So what the program's tests print of a finding holds addresses (tests/README.md: addr2line).
asan:
	$(MAKE) $(ASAN) tests all
	@echo 'not run under the sanitizers: $(ASAN_LEAVES_OUT)'
	@export LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0; \
	export ASAN_OPTIONS=quarantine_size_mb=16 SPLITS_SECONDS=0; status=0; for goal in test-unit check-mpi test-program; do \
	  [ $$goal != test-program ] || ASAN_OPTIONS=$$ASAN_OPTIONS:symbolize=0; \
	  $(MAKE) $(ASAN) MPI_NP=2 BATS_TESTS='$(filter-out $(ASAN_LEAVES_OUT),$(BATS_TESTS))' $$goal || status=1; done; \
	exit $$status

# Races between threads: clang's runtime of OpenMP tells the sanitizer of its barriers through Archer, gcc's does not.
TSAN := BUILD=$(BUILD)/tsan CC=clang CFLAGS='-O1 -g' SANITIZE=thread TARGET_CLONES=0 ONEDNN=0 CBLAS=0
TSAN_ALONE := $(addprefix $(BUILD)/tsan/tests/,test_stream test_team_wait)
TSAN_TESTS := $(addprefix $(BUILD)/tsan/tests/,test_stepper test_trainer)
tsan:
	$(MAKE) $(TSAN) $(TSAN_ALONE) $(TSAN_TESTS)
	@export OMP_TOOL_LIBRARIES=$$(dirname $$(dirname $$(clang -print-resource-dir)))/libarcher.so \
	  TSAN_OPTIONS=ignore_noninstrumented_modules=1:suppressions=$(CURDIR)/tests/tsan.supp; status=0; \
	scripts/run-tests unit $(TSAN_ALONE) || status=1; \
	MPI_NP='1 2' scripts/run-tests mpi $(TSAN_TESTS) || status=1; exit $$status

valgrind: all
	scripts/valgrind $(BUILD)/mlpdist

$(BENCHES): $(BUILD)/tests/%: tests/%.c $(BUILD)/internal.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(call quiet,test    $<)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -MMD -MP -MF $@.d -MT $@ $(ALL_LDFLAGS) -o $@ $< \
	  $(BUILD)/internal.a $(DEPS_LIBS)

# The program for SimGrid's smpirun, and its steps without their computation: see scripts/simulate.
.PHONY: smpi
smpi:
	$(MAKE) BUILD=$(BUILD)/smpi MPI=smpi all $(BUILD)/smpi/tests/simulated_steps

CHARGED := vector_gather_rows network_forward_block network_backward_block network_finish_output loss_compute loss_rows \
  network_gradient_factors network_gradient optimizer_update_range optimizer_update tree_sum_run tree_add \
  clock_seconds memory_allocate
$(BUILD)/tests/simulated_steps: tests/simulated_steps.c $(BUILD)/internal.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(call quiet,link    $@)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -MT $@ $(ALL_LDFLAGS) $(MPI_PROGRAM) \
	  $(CHARGED:%=-Wl,--wrap=%) -o $@ $< $(BUILD)/internal.a $(DEPS_LIBS)

bench: $(BENCHES) $(PROGRAM)
	scripts/bench --build $(BUILD) $(BENCH_OPTIONS)

# ---- fuzzing ---------------------------------------------------------------------------------------
.PHONY: fuzz fuzzers
FUZZ_SECONDS := 20
FUZZERS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
CONFIG_READER := $(filter-out %/options_complete.o %/options_man.o,$(filter \
  $(addprefix $(BUILD)/src/,cli/options% cli/outcome.o cli/start_watch.o program/train_options.o),$(PROGRAM_OBJECTS)))
fuzz:
	scripts/fuzz $(BUILD)/fuzz $(FUZZ_SECONDS)

fuzzers: $(FUZZERS) $(BUILD)/tests/fuzz/make_seeds
$(FUZZERS): LIBFUZZER := -fsanitize=fuzzer
$(FUZZERS): $(BUILD)/tests/fuzz/fuzz.o
$(FUZZERS) $(BUILD)/tests/fuzz/make_seeds: %: %.o $(CONFIG_READER) $(BUILD)/internal.a
	$(call quiet,link    $@)$(CC) $(ALL_LDFLAGS) $(LIBFUZZER) -o $@ $^ $(DEPS_LIBS)
-include $(wildcard $(BUILD)/tests/fuzz/*.d)

# ---- style ---------------------------------------------------------------------------------------
.PHONY: lint format
FORMATTED := $(wildcard include/*.h src/*/*.h src/*/*.c tests/*.h tests/*.c tests/fuzz/*.h tests/fuzz/*.c)
format:
	$(CLANG_FORMAT) -i $(FORMATTED)

lint: all
	LINT_BUILD=$(BUILD) scripts/lint $(ALL_CPPFLAGS) $(PROGRAM_CPPFLAGS)

# ---- installation --------------------------------------------------------------------------------
# The scripts that do not need the sources. They find the program below the same PREFIX, or as MLPDIST or PATH names it.
TOOLS := plot get-dataset make-digits make-synthetic bench-tables bench-tables-peer compare-sklearn compare-splits \
  scaling-study scaling-report slurm/train.sbatch
# Files below share/mlpdist: the scripts and what they read.
SHARED_FILES := $(addprefix scripts/,lib.sh lib.py) $(wildcard scripts/scaling/*.py) \
  $(wildcard scripts/scaling/seen/*/*.csv scripts/scaling/seen/*/*.json)
# The Python package, which finds the library under the same PREFIX.
PYTHONDIR := $(PREFIX)/lib/python3/dist-packages
PYTHON_FILES := $(wildcard src/python/mlpdist/*.py)
# Files below share/doc/mlpdist, in the folders they have here, so that their links hold.
DOCUMENTS := LICENSE $(wildcard README.md */README.md */*/README.md)
# What uninstall removes, too, where it is empty then and PREFIX is no folder of the system.
PREFIX_FOLDERS = $(if $(filter-out / /usr /usr/local /opt,$(PREFIX)),$(PYTHONDIR) \
  $(PREFIX)/lib/python3 $(LIBDIR)/pkgconfig $(LIBDIR) $(BINDIR) $(INCLUDEDIR) \
  $(MANDIR)/man1 $(MANDIR) $(COMPLETIONDIR) $(PREFIX)/share/bash-completion $(PREFIX)/share/doc $(PREFIX)/share $(PREFIX))

.PHONY: install install-files check-prefix uninstall
install: all
	@$(MAKE) --no-print-directory install-files

# As install, of what is built already: for `sudo make install-files`, which builds nothing as root.
install-files: check-prefix
	@[ -f $(STATIC) ] || { echo 'nothing is built in $(BUILD) yet: make' >&2; exit 1; }
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)' '$(DESTDIR)$(DATADIR)'
	$(if $(PROGRAM),install -m 755 $(PROGRAM) '$(DESTDIR)$(BINDIR)/mlpdist')
	install -m 644 $(STATIC) '$(DESTDIR)$(LIBDIR)/libmlpdist.a'
	install -m 755 $(SHARED) '$(DESTDIR)$(LIBDIR)/$(notdir $(SHARED))'
	ln -sf $(notdir $(SHARED)) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libmlpdist.so'
	install -m 644 include/mlpdist.h include/mlpdist.f90 '$(DESTDIR)$(INCLUDEDIR)'
	install -m 644 datasets/*.h5 '$(DESTDIR)$(DATADIR)'
	@for file in $(SHARED_FILES); do install -D -m 644 $$file '$(DESTDIR)$(DATADIR)'/$$file || exit 1; done
	@for tool in $(TOOLS); do install -D -m 755 scripts/$$tool '$(DESTDIR)$(DATADIR)'/scripts/$$tool || exit 1; done
	@for file in $(DOCUMENTS); do install -D -m 644 $$file '$(DESTDIR)$(DOCDIR)'/$$file || exit 1; done
	install -d '$(DESTDIR)$(PYTHONDIR)/mlpdist'
	install -m 644 $(PYTHON_FILES) '$(DESTDIR)$(PYTHONDIR)/mlpdist'
	@echo 'scripts in $(DATADIR)/scripts, README.md in $(DOCDIR); for Python: export PYTHONPATH=$(PYTHONDIR)'
	$(if $(MAN_PAGES),install -d '$(DESTDIR)$(MANDIR)/man1' '$(DESTDIR)$(COMPLETIONDIR)')
	$(if $(MAN_PAGES),install -m 644 $(MAN_PAGES) '$(DESTDIR)$(MANDIR)/man1')
	$(if $(MAN_PAGES),install -m 644 $(COMPLETION) '$(DESTDIR)$(COMPLETIONDIR)/mlpdist')
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	  -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS_PRIVATE@|-fopenmp $(DEPS_LIBS)|' scripts/mlpdist.pc.in \
	  > '$(DESTDIR)$(LIBDIR)/pkgconfig/mlpdist.pc'
	chmod 644 '$(DESTDIR)$(LIBDIR)/pkgconfig/mlpdist.pc'

# Other programs read this path in mlpdist.pc, from any folder.
check-prefix:
	@case '$(PREFIX)' in /*) ;; *) echo "PREFIX must begin with /, not '$(PREFIX)'" >&2; exit 1 ;; esac

uninstall: check-prefix
	rm -f '$(DESTDIR)$(BINDIR)/mlpdist' '$(DESTDIR)$(LIBDIR)/libmlpdist.a' '$(DESTDIR)$(LIBDIR)/$(notdir $(SHARED))' \
	  '$(DESTDIR)$(LIBDIR)/$(SONAME)' '$(DESTDIR)$(LIBDIR)/libmlpdist.so' '$(DESTDIR)$(INCLUDEDIR)/mlpdist.h' '$(DESTDIR)$(INCLUDEDIR)/mlpdist.f90' \
	  '$(DESTDIR)$(LIBDIR)/pkgconfig/mlpdist.pc'
	rm -f $(patsubst %,'$(DESTDIR)$(MANDIR)/man1/%',$(notdir $(MAN_PAGES))) '$(DESTDIR)$(COMPLETIONDIR)/mlpdist'
	@rm -f $(patsubst %,'$(DESTDIR)$(DATADIR)/%',$(notdir $(wildcard datasets/*.h5)) $(SHARED_FILES) $(TOOLS:%=scripts/%)) \
	  $(DOCUMENTS:%='$(DESTDIR)$(DOCDIR)/%')
	@rm -f $(patsubst %,'$(DESTDIR)$(PYTHONDIR)/mlpdist/%',$(notdir $(PYTHON_FILES)))
	@rm -rf '$(DESTDIR)$(PYTHONDIR)/mlpdist/__pycache__' && rmdir '$(DESTDIR)$(PYTHONDIR)/mlpdist' 2> /dev/null || true
	@rm -rf '$(DESTDIR)$(DATADIR)/scripts/__pycache__' '$(DESTDIR)$(DATADIR)/scripts/scaling/__pycache__'
	@find '$(DESTDIR)$(DATADIR)' '$(DESTDIR)$(DOCDIR)' -depth -type d -empty -delete 2> /dev/null || true
	@for folder in $(PREFIX_FOLDERS); do rmdir '$(DESTDIR)'"$$folder" 2> /dev/null || true; done

# ---- packages --------------------------------------------------------------------------------------
.PHONY: dist deb
DIST := mlpdist-$(VERSION)
# What git tracks, with the contents of the working tree; the same tree gives the same bytes.
dist:
	@git rev-parse --git-dir > /dev/null 2>&1 || { echo 'make dist asks git which files belong to the sources' >&2; exit 1; }
	@mkdir -p $(BUILD)
	git ls-files -z | tar --null -T - --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$$(git log -1 --format=%ct)" \
	  --transform='s|^|$(DIST)/|' -cf - | gzip -9n > $(BUILD)/$(DIST).tar.gz
	@echo $(BUILD)/$(DIST).tar.gz

deb:
	scripts/packaging/make-deb $(BUILD)/deb

.PHONY: clean help
clean:
	@[ ! -d $(BUILD) ] || [ -f $(BUILD)/config.key ] || { echo '$(BUILD) was not made by this Makefile: left alone' >&2; exit 1; }
	rm -rf $(BUILD)

help:
	@echo 'Targets:'
	@echo '  all         the library (static and shared) and the program, in $(BUILD)/ (default)'
	@echo '  test, check   unit tests and tests of the program'
	@echo '  check-mpi   the tests of collective code under mpirun on 1 to 7 ranks'
	@echo '  asan        unit tests and tests of the program with the address and undefined-behaviour sanitizers'
	@echo '  tsan        stream, stepper and trainer under the thread sanitizer (clang, libomp-dev)'
	@echo '  valgrind    short runs of the program on 1 and 2 ranks under memcheck'
	@echo '  fuzz        FUZZ_SECONDS ($(FUZZ_SECONDS)) of damaged files for each reader of files (clang)'
	@echo '  lint        layers, clang-tidy, clang-format, shellcheck'
	@echo '  format      clang-format on every C file'
	@echo '  bench       speed of the training step beside the peak of this machine and beside other libraries'
	@echo '  smpi        the program for simulated clusters, in $(BUILD)/smpi: see scripts/simulate'
	@echo '  install, uninstall    under PREFIX ($(PREFIX)); DESTDIR is put before it'
	@echo '  install-files         as install, but builds nothing: sudo make install-files'
	@echo '  dist        $(DIST).tar.gz in $(BUILD)/: the sources, which build without git'
	@echo '  deb         Debian packages in $(BUILD)/deb, checked by lintian'
	@echo '  clean, help'
	@echo 'Variables: BUILD, CC (gcc, clang), CFLAGS, KERNEL_CFLAGS (after CFLAGS, for src/kernels), AVX512_CFLAGS (after'
	@echo '  these, for the tiles of AVX-512), TEST_CFLAGS (after CFLAGS, for unit tests), CPPFLAGS, LDFLAGS,'
	@echo '  MPI (openmpi, mpich; default: what mpicc is), MPICC, WERROR=1, ONEDNN=0, CBLAS=0, FORTRAN=0, TARGET_CLONES=0,'
	@echo '  MPI_NP="1 2" (ranks of check-mpi), BENCH_OPTIONS="--quick",'
	@echo '  SANITIZE=address,undefined, and prefixes of libraries: HDF5_DIR, JANSSON_DIR, XXHASH_DIR, ZLIB_DIR, DNNL_DIR,'
	@echo '  CBLAS_DIR (scripts/configure --help)'
endif # from another folder
