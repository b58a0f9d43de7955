"""A simulated cluster: SimGrid's description of it, and what a run on it is started with."""
import os

# Latency of a link, seconds. A message between hosts of one switch passes two, between others of a fat tree four.
LINK_LATENCY = 1e-6
# Processor time of a message, seconds: what MPI libraries take of both sides over an adapter that copies by itself.
# Counted where it is sent.
OVERHEAD = 1e-6
# SimGrid's own factors of latency and bandwidth were fitted to TCP over 1 Gb/s; these are of a network that MPI drives
# without TCP: its latency whatever the length, and 0.95 of the bandwidth. Polls and looks at the clock take no time
# (comm_simulated.h). No message is detached from its sender: SimGrid keeps those in one list that it searches.
# Collectives, which are around the steps and not in them, as MPICH chooses them: after SMPI's own barrier ranks go on a
# message after one another, 0.25 ms later the last of 256, and its allgatherv takes more real time than all else.
SETTINGS = ["contexts/factory:raw", "smpi/host-speed:1Gf", "smpi/test:0", "smpi/wtime:0", "smpi/lat-factor:0:1",
            "smpi/bw-factor:0:0.95", f"smpi/ois:0:{OVERHEAD:g}:0", "smpi/send-is-detached-thresh:0", "smpi/coll-selector:mpich",
            "smpi/shared-malloc-blocksize:16777216"]
TOPOLOGIES = ("fat-tree", "dragonfly")


def shape(topology, hosts):
    """SimGrid's parameters: a fat tree of two levels with full bandwidth, a dragonfly of groups of 16 switches, each
    linked to each, of 4 hosts. (SimGrid 3.32 wants no more groups than switches in a row of one, and crashes.)"""
    if topology == "fat-tree":
        leaf = min(16, hosts)
        switches = -(-hosts // leaf)
        return "FAT_TREE", f"2;{leaf},{switches};1,{leaf};1,1", leaf * switches
    groups = max(2, -(-hosts // 64))
    return "DRAGONFLY", f"{groups},1;1,1;16,1;4", groups * 64


def write_platform(folder, topology, gbits, hosts):
    """Each host with one link of gbits. Returns smpirun's options for it."""
    kind, parameters, places = shape(topology, hosts)
    path, names = os.path.join(folder, "platform.xml"), os.path.join(folder, "hosts")
    with open(path, "w", encoding="ascii") as f:
        f.write(f"""<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
<cluster id="c" topology="{kind}" topo_parameters="{parameters}" prefix="n" suffix="" radical="0-{places - 1}" speed="1Gf"
  bw="{gbits / 8}GBps" lat="{LINK_LATENCY * 1e6:g}us" sharing_policy="SPLITDUPLEX" loopback_bw="{gbits / 8}GBps" loopback_lat="100ns"/>
</platform>
""")
    with open(names, "w", encoding="ascii") as f:
        f.writelines(f"n{i}\n" for i in range(hosts))
    return ["-platform", path, "-hostfile", names]


def smpirun(folder, topology, gbits, ranks, counts_computation):
    """The words before the program's: ranks on hosts of their own."""
    settings = [*SETTINGS, f"smpi/simulate-computation:{'yes' if counts_computation else 'no'}"]
    return ["smpirun", *(f"--cfg={s}" for s in settings), "--log=root.thres:critical", "-np", str(ranks),
            *write_platform(folder, topology, gbits, ranks)]
