"""Records where the sources' build folder is, so that an installed package finds the library that was built there."""
import pathlib

from setuptools import setup
from setuptools.command.build_py import build_py


class build_py_with_place(build_py):
    def run(self):
        super().run()
        build = pathlib.Path(__file__).resolve().parents[2] / "build"
        if (build / "libmlpdist.so").exists():
            (pathlib.Path(self.build_lib) / "mlpdist" / "_place.py").write_text(f"BUILD = {str(build)!r}\n")


setup(cmdclass={"build_py": build_py_with_place})
