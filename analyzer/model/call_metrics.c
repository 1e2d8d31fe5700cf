/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_metrics.h"

const struct call_metric_info call_metric_infos[NR_METRICS] = {
#define X(name, key, word, head, unit, what) { key, word, head, what, METRIC_UNIT_##unit },
	CALL_METRICS(X)
#undef X
};

void call_metrics_add(struct call_metrics *sum, const struct call_metrics *add)
{
	for (int i = 0; i < NR_METRICS; i++) {
		sum->self[i] += add->self[i];
		sum->total[i] += add->total[i];
	}
}
