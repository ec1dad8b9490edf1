# SPDX-License-Identifier: GPL-2.0
# Ratios that are worse by more than noise: 2 % of instructions in all, which include
# the server's and the scheduler's, and 1 % of NFS's own, which repeat exactly.
$old[0] as $old | $new[0] | to_entries[]
| select($old[.key] and .value > $old[.key] * (if .key | test(": nfs,") then 1.01 else 1.02 end))
| "  \(.key): \(.value), was \($old[.key])"
