/* A counter: its action counts once more. What else it is, manifest.toml says. */

#include "counter.h"

#include <inttypes.h>
#include <occi.h>

#define COUNT "com.example.{{name}}.count"

bool occi_act(const occi_subject *subject, const char *action, const occi_attributes *parameters, occi_change *change,
              occi_fault *fault)
{
    (void)action, (void)parameters, (void)fault;
    int64_t count = 0;
    occi_integer(occi_shown(subject), COUNT, &count);
    count = next(count);
    occi_log(OCCI_INFO, "counted to %" PRId64, count);
    occi_set_integer(change, COUNT, count);
    return true;
}
