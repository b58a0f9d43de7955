"""Where a study runs: the program, hosts and their cores, and the mpirun that starts ranks on them."""
import collections
import os
import platform
import re
import shlex
import subprocess
import tempfile

from lib import ROOT, die


def environment():
    env = dict(os.environ, HWLOC_HIDE_ERRORS="2")
    if os.geteuid() == 0:
        env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    return env


def local_cores():
    done = subprocess.run(["sh", "-c", ". scripts/lib.sh; cores"], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    return int(done.stdout)


def hosts_of_file(path):
    """Cores of each host: its slots, or as many as here."""
    cores = []
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                line = line.split("#")[0].strip()
                if line:
                    slots = re.search(r"\bslots\s*=\s*(\d+)", line)
                    cores.append(int(slots[1]) if slots else local_cores())
    except OSError as error:
        die(f"{path}: {error.strerror}", 2)
    if not cores:
        die(f"{path}: no host is named", 2)
    return cores


class Place:
    """Hosts and their cores, and the mpirun that starts ranks on them."""

    def __init__(self, a):
        self.oversubscribe, self.per_node, self.hostfile = a.oversubscribe, a.per_node, a.hostfile
        if a.hostfile:
            self.hostfile = os.path.abspath(a.hostfile)
            cores = hosts_of_file(self.hostfile)
            self.kind = "hosts of a file"
        elif os.environ.get("SLURM_JOB_NUM_NODES"):
            nodes = int(os.environ["SLURM_JOB_NUM_NODES"])
            told = re.findall(r"\d+(?=\(|,|$)", os.environ.get("SLURM_JOB_CPUS_PER_NODE", ""))
            cores = [min(map(int, told)) if told else local_cores()] * nodes
            self.kind = "Slurm allocation"
        else:
            cores, self.kind = [local_cores()], "one machine"
        self.nodes, self.cores = len(cores), min(cores)
        self.many = self.kind != "one machine"

    def ranks_on_node(self, ranks, threads):
        return min(ranks, self.per_node or self.cores // threads)

    def refuse(self, ranks, threads):
        """Why the split does not fit, None where it does."""
        if self.oversubscribe:
            return None
        each = self.ranks_on_node(ranks, threads)
        if each * threads <= self.cores and each * self.nodes >= ranks:
            return None
        return (f"{ranks} ranks x {threads} threads do not fit on {self.nodes} x {self.cores} cores "
                f"({self.kind}); --oversubscribe tries it all the same")

    def mpirun(self, ranks, threads):
        words = ["mpirun"]
        if self.hostfile:
            words += ["--hostfile", self.hostfile]
        words += ["-np", str(ranks)]
        if self.oversubscribe:  # those that wait must let the others run
            return words + ["--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1",
                            "-x", "OMP_WAIT_POLICY=passive"]
        if self.many:
            return words + ["--map-by", f"ppr:{self.ranks_on_node(ranks, threads)}:node:PE={threads}", "--bind-to", "core"]
        return words + ["--map-by", f"slot:PE={threads}", "--bind-to", "core"]


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    except OSError:
        return ""
    return done.stdout.splitlines()[0].strip() if done.stdout else ""


def machine(place):
    """Of the machine the study runs from; hosts stand in each row."""
    facts = {}
    try:
        lscpu = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    except OSError:
        lscpu = ""
    for key, name in (("Model name", "processor"), ("Socket(s)", "sockets"), ("Core(s) per socket", "cores a socket"),
                      ("Thread(s) per core", "hardware threads a core"), ("NUMA node(s)", "NUMA nodes"),
                      ("L2 cache", "L2 cache"), ("L3 cache", "L3 cache")):
        found = re.search(rf"^{re.escape(key)}:\s*(.*)$", lscpu, re.MULTILINE)
        if found:
            facts[name] = found[1]
    facts["memory"] = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    facts["hosts"] = f"{place.nodes} ({place.kind}), {place.cores} cores each"
    facts["system"] = f"{platform.freedesktop_os_release().get('PRETTY_NAME', '') if os.path.exists('/etc/os-release') else ''}, " \
                      f"Linux {platform.release()}"
    facts["mpirun"] = first_line(["mpirun", "--version"])
    return facts


def start(command, timeout, folder, *extra):
    """Standard output of a run, with mpirun's map of ranks; stops the study where it fails."""
    mapped = [command[0], "--display-map", *command[1:], *extra]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        try:
            done = subprocess.run(mapped, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
                                  timeout=timeout, env=environment(), check=False)
            why = f"status {done.returncode}"
        except subprocess.TimeoutExpired:
            done, why = None, f"not finished after {timeout:g} s"
        except OSError as error:
            die(f"{command[0]}: {error.strerror} (Debian and Ubuntu: package openmpi-bin)")
        errors.seek(0)
        said = errors.read()
    if done is None or done.returncode != 0:
        with open(os.path.join(folder, "failed.txt"), "w", encoding="utf-8") as file:
            file.write(said)
        lines = [line for line in said.splitlines() if line.startswith("mlpdist: ")] or said.strip().splitlines()[-8:]
        die(f"{why}: {' '.join(map(shlex.quote, command))}\n" + "\n".join(f"  {line}" for line in lines))
    return done.stdout


def placed(output):
    """Hosts with their ranks, and bindings with theirs, from the map that each host prints: a host knows its own ranks'
    bindings, and says N/A for the others."""
    hosts = dict(re.findall(r"Data for node: (\S+).*Num procs: (\d+)", output))
    masks = {}
    for rank, mask in re.findall(r"Process rank: (\d+) Bound: (?:.*:)?(\S+)", output):
        if mask != "N/A" or rank not in masks:
            masks[rank] = mask
    bindings = collections.Counter(masks.values())
    return (len(hosts), " ".join(f"{host}:{n}" for host, n in hosts.items()),
            " ".join(f"{mask} x{n}" for mask, n in bindings.items()))
