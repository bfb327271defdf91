/* check: what would become of a directory of manifests. Pure. */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include "ctl/show.h"

/* Appends the plan of addresses and all findings, as stentor-controller --check does, and a warning
 * for each Service whose addresses no node may announce. input_findings: of what is no object.
 * Returns the number of errors. */
size_t check_show(const struct world_input *input, const struct diag_list *input_findings,
                  enum show_format format, struct arena *arena, struct sbuf *out);

#endif
