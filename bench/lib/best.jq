# SPDX-License-Identifier: GPL-2.0
# Of two runs of the same cells, the cheaper cell each: what the scheduler and timers
# of one boot add is no regression.
include "cells";
($b[0] | index_cells) as $b
| [ $a[0][] | ., $b[key | tojson] ] | group_by(key) | map(min_by(.instructions))
