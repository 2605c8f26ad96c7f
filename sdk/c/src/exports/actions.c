/* The generated side of the interface `actions`. */

#include "../text.h"

bool exports_occi_extension_actions_act(extension_string_t *operation, extension_string_t *role,
                                        occi_extension_types_borrow_entity_t entity, extension_string_t *action,
                                        exports_occi_extension_actions_list_attribute_t *parameters,
                                        occi_change *change, occi_fault *fault)
{
    occi_subject subject = { .entity = entity, .role = occi_received(*role), .operation = occi_received(*operation) };
    occi_attributes attributes = { .ptr = parameters->ptr, .len = parameters->len };
    *change = (occi_change){ 0 };
    return occi_act(&subject, occi_received(*action), &attributes, change, fault);
}
