# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # sourced: the users are elsewhere
# Where the PCI devices of the lab guest sit. Each function appends to the
# arrays QEMU (arguments) and APPEND (kernel arguments).
#
# The devices: an NVMe drive with a Controller Memory Buffer (provider 1), two
# "edu" functions (the virtual RDMA NICs), an ivshmem BAR (provider 2). Every
# port can be unplugged. Vendor facts: QEMU docs/pcie.txt, docs/specs/edu.txt.

readonly TOPOLOGIES="switch hostbridge unreachable iommu mixed"

# devices_on BUS1..BUS4: plug the four devices in.
topology_devices() {
	QEMU+=(
		-device "nvme,id=nvme0,serial=lab,drive=nvme,cmb_size_mb=64,bus=$1"
		-device "edu,id=edu0,bus=$2"
		-device "edu,id=edu1,bus=$3"
		-object "memory-backend-ram,id=bar,size=64M,share=on"
		-device "ivshmem-plain,id=bar0,memdev=bar,bus=$4"
	)
}

topology_root_ports() {
	local i

	for i in 1 2 3 4; do
		QEMU+=(-device "pcie-root-port,id=rp$i,chassis=$i,slot=$i")
	done
	topology_devices rp1 rp2 rp3 rp4
}

# All below one switch: the fabric routes peer to peer by itself.
topology_switch() {
	local i

	QEMU+=(-cpu EPYC -device "pcie-root-port,id=rp1,chassis=1,slot=1"
		-device "x3130-upstream,id=up,bus=rp1")
	for i in 2 3 4 5; do
		QEMU+=(-device "xio3130-downstream,id=dp$i,bus=up,chassis=$i,slot=$i")
	done
	topology_devices dp2 dp3 dp4 dp5
}

# Across the host bridge, which the kernel allows on AMD Zen CPUs
# (drivers/pci/p2pdma.c, cpu_supports_p2pdma).
topology_hostbridge() {
	QEMU+=(-cpu EPYC)
	topology_root_ports
}

# The same, but neither this CPU nor the q35 bridge is on the kernel's list.
topology_unreachable() {
	QEMU+=(-cpu Haswell)
	topology_root_ports
}

# Both: the first virtual NIC, by address, is below one switch with the providers,
# the second one has a port of its own and cannot reach them.
topology_mixed() {
	local i

	QEMU+=(-cpu Haswell -device "pcie-root-port,id=rp1,chassis=1,slot=1"
		-device "pcie-root-port,id=rp2,chassis=2,slot=2"
		-device "x3130-upstream,id=up,bus=rp1")
	for i in 3 4 5; do
		QEMU+=(-device "xio3130-downstream,id=dp$i,bus=up,chassis=$i,slot=$i")
	done
	topology_devices dp3 dp4 rp2 dp5
}

# Strict vIOMMU. Not below a switch: QEMU sends same-switch traffic of its own
# devices to the vIOMMU, which real hardware does not do.
topology_iommu() {
	QEMU+=(-cpu EPYC -device intel-iommu)
	APPEND+=(intel_iommu=on iommu.passthrough=0 iommu.strict=1 no_timer_check)
	topology_root_ports
}
