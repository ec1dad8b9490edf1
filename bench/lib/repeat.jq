# SPDX-License-Identifier: GPL-2.0
# How far two runs of the same cells are apart, at most.
include "cells";
($b[0] | index_cells) as $b
| [ $a[0][] | . as $c | $b[key | tojson] | { by: (.instructions / $c.instructions - 1 | fabs), name: name } ] | max_by(.by)
| "\(.by * 10000 | round / 100) % (\(.name))"
