/* The generated side of the interface `lifecycle`, and what the functions do that an extension leaves out. */

#include "../text.h"

__attribute__((weak))
bool occi_create(const occi_subject *subject, occi_change *change, occi_fault *fault)
{
    (void)subject, (void)change, (void)fault;
    return true;
}

__attribute__((weak))
bool occi_update(const occi_subject *subject, const occi_attributes *wanted, occi_change *change, occi_fault *fault)
{
    (void)subject, (void)wanted, (void)change, (void)fault;
    return true;
}

__attribute__((weak))
bool occi_delete(const occi_subject *subject, occi_fault *fault)
{
    (void)subject, (void)fault;
    return true;
}

static occi_subject about(occi_extension_types_borrow_entity_t entity, extension_string_t role,
                          extension_string_t operation)
{
    return (occi_subject){ .entity = entity, .role = occi_received(role), .operation = occi_received(operation) };
}

bool exports_occi_extension_lifecycle_create(extension_string_t *operation, extension_string_t *role,
                                             occi_extension_types_borrow_entity_t entity, occi_change *change,
                                             occi_fault *fault)
{
    occi_subject subject = about(entity, *role, *operation);
    *change = (occi_change){ 0 };
    return occi_create(&subject, change, fault);
}

bool exports_occi_extension_lifecycle_update(extension_string_t *operation, extension_string_t *role,
                                             occi_extension_types_borrow_entity_t entity,
                                             exports_occi_extension_lifecycle_list_attribute_t *wanted,
                                             occi_change *change, occi_fault *fault)
{
    occi_subject subject = about(entity, *role, *operation);
    occi_attributes attributes = { .ptr = wanted->ptr, .len = wanted->len };
    *change = (occi_change){ 0 };
    return occi_update(&subject, &attributes, change, fault);
}

bool exports_occi_extension_lifecycle_delete(extension_string_t *operation, extension_string_t *role,
                                             occi_extension_types_borrow_entity_t entity, occi_fault *fault)
{
    occi_subject subject = about(entity, *role, *operation);
    return occi_delete(&subject, fault);
}
