# A recipe for Spack. In the sources' folder:
#   spack repo create mine && mkdir -p mine/packages/mlpdist && cp scripts/packaging/spack/package.py mine/packages/mlpdist/
#   spack repo add mine && spack dev-build mlpdist@0.1.0
from spack.package import *

try:  # from Spack 1.0 on build systems are in the repository of packages
    from spack_repo.builtin.build_systems.makefile import MakefilePackage
except ImportError:
    pass


class Mlpdist(MakefilePackage):
    """Multilayer perceptrons, trained data-parallel with MPI and OpenMP: the same weights bit for bit on any number of
    ranks and threads."""

    homepage = "file:///"  # built from a folder of sources (dev-build); there is no place to download from

    version("0.1.0")

    variant("onednn", default=False, description="oneDNN's matrix product, for processors without AVX2")
    variant("fortran", default=True, description="Compile the Fortran module as a check")

    depends_on("c", type="build")
    depends_on("fortran", type="build", when="+fortran")
    depends_on("gmake", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5")
    depends_on("jansson")
    depends_on("xxhash@0.8:")
    depends_on("zlib-api")
    depends_on("onednn", when="+onednn")

    def setup_build_environment(self, env):
        """The search of scripts/configure takes prefixes from these."""
        for name, package in (("HDF5", "hdf5"), ("JANSSON", "jansson"), ("XXHASH", "xxhash"), ("ZLIB", "zlib-api")):
            env.set(name + "_DIR", self.spec[package].prefix)
        if self.spec.satisfies("+onednn"):
            env.set("DNNL_DIR", self.spec["onednn"].prefix)

    @property
    def settings(self):
        """Variables of make."""
        spec = self.spec
        return [
            "CC=" + spack_cc,
            "MPICC=" + spec["mpi"].mpicc,
            "PREFIX=" + self.prefix,
            "ONEDNN=" + ("1" if spec.satisfies("+onednn") else "0"),
            "FORTRAN=" + ("1" if spec.satisfies("+fortran") else "0"),
        ]

    def build(self, spec, prefix):
        make("all", *self.settings)

    def install(self, spec, prefix):
        make("install-files", *self.settings)

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def check_install(self):
        """Two epochs on the digits that are installed beside the program."""
        Executable(self.prefix.bin.mlpdist)("train", "--epochs", "2", "--quiet", "--out", "check-run")
