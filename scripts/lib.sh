# Shell functions the scripts share; sourced from the repository root, by sh.
# shellcheck shell=sh disable=SC2034

# answer_help "$@": prints the comment that the script begins with, and ends it, where --help is asked for.
answer_help() {
  case ${1:-} in --help | -h) ;; *) return 0 ;; esac
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "scripts/$(basename "$0")"
  exit 0
}

# What to install, one a line: Debian package | how to see that it is there elsewhere | what it is.
# "command NAME" looks in PATH, "header NAME MODULE" asks the C preprocessor, "python NAME" Python; "?" marks what the
# build can do without.
BUILD_NEEDS='
gcc            | command gcc                 | a C compiler
libc6-dev      | header stdio.h              | the C library headers
make           | command make                | GNU make
pkg-config     | command pkg-config          | pkg-config
openmpi-bin    | command mpirun              | Open MPI: mpirun
libopenmpi-dev | header mpi.h ompi-c         | Open MPI: headers
libhdf5-dev    | header hdf5.h hdf5          | HDF5, serial: headers
libjansson-dev | header jansson.h jansson    | Jansson, which writes JSON
libxxhash-dev  | header xxhash.h libxxhash   | xxHash, which makes the digests
zlib1g-dev     | header zlib.h zlib          | zlib, which reads .gz files
libdnnl-dev    | ? header oneapi/dnnl/dnnl.h | oneDNN, the matrix multiplication where a processor has no AVX2
'
TEST_NEEDS='
libcmocka-dev  | header cmocka.h cmocka      | cmocka, the unit test library
bats           | command bats                | bats, which tests the program
python3-h5py   | python h5py                 | Python with h5py, for the second implementation
groff-base     | ? command groff             | groff, which checks the manual pages
python3-sklearn | python sklearn             | scikit-learn, which checks the estimators of the Python package
python3-pandas | python pandas               | pandas, whose frames the Python package takes
python3-mpi4py | python mpi4py               | mpi4py, for the Python package on several ranks
python3-onnx   | ? python onnx               | onnx, which checks ONNX files (with its libraries 1.9 MB)
libopencv-dnn-dev | ? header opencv2/dnn.hpp | OpenCV with its dnn module, which runs ONNX files (7.4 MB; python3-opencv would be 98 MB)
g++            | ? command g++               | a C++ compiler, for a program that calls OpenCV
'
CLUSTER_NEEDS='
iproute2       | command ip                  | iproute2, which makes hosts of network namespaces
slurm-wlm      | command slurmctld           | Slurm, for the test of scripts/slurm
munge          | command munged              | munge, which Slurm needs
'
MPICH_NEEDS='
mpich          | command mpirun.mpich        | MPICH: mpirun
libmpich-dev   | command mpicc.mpich         | MPICH: headers
'
SMPI_NEEDS='
libsimgrid-dev     | command smpirun   | SimGrid with SMPI: simulated clusters
'
FUZZ_NEEDS='
clang          | command clang               | clang (scripts/fuzz names the package of its libFuzzer)
libomp-dev     | command clang               | OpenMP for clang
'
BENCH_NEEDS='
python3-torch      | python torch      | PyTorch, to compare speed with
python3-sklearn    | python sklearn    | scikit-learn, to compare speed with
python3-h5py       | python h5py       | Python with h5py, which writes the data of one measurement
python3-matplotlib | python matplotlib | Matplotlib, for the plot
libopenblas0-pthread | python numpy    | OpenBLAS, which the others multiply matrices with
'
STUDY_NEEDS='
python3-matplotlib | python matplotlib | Matplotlib, for the plots
'
PACKAGE_NEEDS='
dpkg-dev       | command dpkg-buildpackage   | dpkg-buildpackage
debhelper      | command dh                  | debhelper
lintian        | command lintian             | lintian, which checks packages
'
LINT_NEEDS='
clang          | command clang               | clang, the second compiler
libomp-dev     | command clang               | OpenMP for clang
clang-tidy     | command clang-tidy          | clang-tidy
clang-format   | command clang-format        | clang-format
shellcheck     | command shellcheck          | shellcheck
valgrind       | command valgrind            | valgrind, which counts instructions
'

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

is_debian() { command -v apt-get > /dev/null 2>&1 && command -v dpkg-query > /dev/null 2>&1; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]; }
available() { apt-cache policy "$1" 2> /dev/null | grep -q '^  Candidate: [^(]'; }

# as_root COMMAND...: as root, or through sudo. Where neither works, it ends the script with the command for root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
    return
  fi
  for_root="as root: apt-get update && apt-get install --no-install-recommends$missing"
  has_sudo || die "installing needs root and there is no sudo; $for_root"
  sudo true || die "installing needs root and sudo fails; $for_root"
  sudo "$@"
}
has_sudo() { command -v sudo > /dev/null 2>&1; }

apt_install() {
  # Words are wanted: a list of packages.
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# A check of the second column, for systems without apt.
present() {
  # shellcheck disable=SC2086
  set -- $1
  [ "$1" != '?' ] || shift
  case $1 in
    command) command -v "$2" > /dev/null 2>&1 ;;
    python) python3 -c "import $2" > /dev/null 2>&1 ;;
    header)
      # shellcheck disable=SC2046
      echo "#include <$2>" | cc -E $([ -z "${3:-}" ] || pkg-config --cflags "$3" 2> /dev/null) - > /dev/null 2>&1
      ;;
  esac
}

# An optional package that apt-get update did not find is looked for again after a day. Homes may be shared by systems, each
# of which has its own packages; one that cannot be written, or is another user's under sudo, remembers nothing.
not_found_folder() {
  # shellcheck disable=SC1091 # no file of ours
  echo "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/mlpdist/not-found/$(. /etc/os-release && echo "$ID-${VERSION_ID:-}")" 2> /dev/null
}
not_found_today() { find "$(not_found_folder)/$1" -mtime -1 2> /dev/null | grep -q .; }
remember_not_found() {
  [ -z "${SUDO_UID:-}" ] || return 0
  { mkdir -p "$(not_found_folder)" && touch "$(not_found_folder)/$1"; } 2> /dev/null || true
}

# need TABLE...: installs what lacks, or names it and stops.
need() {
  missing='' list='' optional=''
  table=$(printf '%s' "$@" | sed '/^$/d; s/ *| */|/g')
  while IFS='|' read -r package check what; do
    if is_debian; then installed "$package" && continue; else present "$check" && continue; fi
    case $check in
      '?'*)
        is_debian || {
          say "not found: $what (the build goes on without it)"
          continue
        }
        optional="$optional $package"
        ;;
    esac
    missing="$missing $package"
    list="$list
  $what ($package)"
  done << TABLE
$table
TABLE
  [ -n "$missing" ] || return 0
  if [ "$missing" = "$optional" ] && [ "$(id -u)" != 0 ] && ! has_sudo; then
    say "not installed:$missing (needs root; what needs it is left out)"
    return 0
  fi
  if ! is_debian; then
    die "missing, and only Debian and Ubuntu are known here; please install (Debian's package names in brackets):$list"
  fi
  updated=''
  for package in $missing; do
    available "$package" && continue
    case " $optional " in *" $package "*) not_found_today "$package" && continue ;; esac
    say "apt-get update: the package lists do not have $package"
    as_root apt-get update -q
    updated=yes
    break
  done
  absent=''
  for package in $missing; do
    case " $optional " in *" $package "*) continue ;; esac
    available "$package" || absent="$absent $package"
  done
  [ -z "$absent" ] || die "apt-get finds no package$absent: Debian has them in main, Ubuntu in universe (add-apt-repository universe)"
  for package in $optional; do
    available "$package" && continue
    [ -z "$updated" ] || remember_not_found "$package"
    missing=$(echo " $missing " | sed "s/ $package / /")
    list=$(echo "$list" | grep -vF "($package)")
    if [ "$package" != libdnnl-dev ]; then
      say "$package is not available here; what needs it is left out"
      continue
    fi
    say "$package is not available here; OpenBLAS is used instead" # not every architecture has oneDNN; a BLAS is next best
    installed libopenblas-dev && continue
    missing="$missing libopenblas-dev"
    list="$list
  OpenBLAS, a matrix multiplication (libopenblas-dev)"
  done
  [ -n "$(echo "$missing" | tr -d ' ')" ] || return 0
  say "about to install (with apt-get):$list"
  if ! apt_install; then
    [ -z "$updated" ] || die "apt-get could not install:$missing"
    say "apt-get update: the package lists may be old"
    as_root apt-get update -q
    apt_install || die "apt-get could not install:$missing"
  fi
}

# need_clang_sanitizers: clang is there; its sanitizers and libFuzzer are a package of their own from Debian 13 on.
need_clang_sanitizers() {
  probe=$(mktemp) || exit 1
  printf '%s\n' '#include <sanitizer/common_interface_defs.h>' \
    'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' |
    clang -x c -fsanitize=fuzzer,address -o "$probe" - 2> /dev/null ||
    need "libclang-rt-$(clang -dumpversion | cut -d . -f 1)-dev | command clang-libfuzzer | clang's libFuzzer and sanitizers"
  rm -f "$probe"
}

# program SCRIPTS: the mlpdist to run: MLPDIST, else that of the source tree, else that of the installation, else the one
# in PATH. SCRIPTS is the folder of the scripts.
program() {
  if [ -n "${MLPDIST:-}" ]; then set -- "$MLPDIST"; else set -- "$1/../build/mlpdist" "$1/../../../bin/mlpdist" mlpdist; fi
  for name; do
    command -v "$name" && return
  done
  die "${MLPDIST:-mlpdist}: no such program; build it with make, or set MLPDIST to its path"
}

# Number of processors this process may use; nproc would say no more than these variables of OpenMP do.
processors() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc 2> /dev/null || getconf _NPROCESSORS_ONLN 2> /dev/null || echo 1; }

# Cores (not hardware threads) this process may use.
cores() {
  all=$(lscpu -p=CORE,SOCKET 2> /dev/null | grep -v '^#' | sort -u | wc -l)
  logical=$(processors)
  if [ "$all" -ge 1 ] && [ "$all" -lt "$logical" ]; then echo "$all"; else echo "$logical"; fi
}

# mpirun refuses to run as root unless told twice, and its hwloc complains, in each process, where /sys is not mounted.
prepare_mpirun() {
  export HWLOC_HIDE_ERRORS=2
  [ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
}
