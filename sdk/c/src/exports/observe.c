/* The generated side of the interface `observe`. */

#include "../text.h"

bool exports_occi_extension_observe_observe(extension_string_t *role, occi_extension_types_borrow_entity_t entity,
                                            extension_string_t *cause, occi_change *change, occi_fault *fault)
{
    occi_subject subject = { .entity = entity, .role = occi_received(*role), .operation = "" };
    *change = (occi_change){ 0 };
    return occi_observe(&subject, occi_received(*cause), change, fault);
}
