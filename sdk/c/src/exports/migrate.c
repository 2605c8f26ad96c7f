/* The generated side of the interface `migrate`. */

#include "../text.h"

bool exports_occi_extension_migrate_migrate(extension_string_t *from_version, extension_string_t *role,
                                            occi_extension_types_borrow_entity_t entity, occi_change *change,
                                            occi_fault *fault)
{
    occi_subject subject = { .entity = entity, .role = occi_received(*role), .operation = "" };
    *change = (occi_change){ 0 };
    return occi_migrate(&subject, occi_received(*from_version), change, fault);
}
