#include "text.h"

#include <string.h>

typedef occi_extension_types_value_t value_t;

occi_view occi_shown(const occi_subject *subject)
{
    return (occi_view){ .shown = subject };
}

occi_view occi_given(const occi_attributes *attributes)
{
    return (occi_view){ .given = attributes };
}

occi_view occi_updated(const occi_attributes *wanted, const occi_subject *subject)
{
    return (occi_view){ .given = wanted, .shown = subject };
}

static bool find(occi_view view, const char *name, value_t *value)
{
    size_t length = strlen(name);
    for (size_t i = 0; view.given != NULL && i < view.given->len; i++) {
        const occi_extension_types_attribute_t *attribute = &view.given->ptr[i];
        if (attribute->name.len == length && memcmp(attribute->name.ptr, name, length) == 0) {
            *value = attribute->value;
            return true;
        }
    }
    if (view.shown == NULL)
        return false;
    extension_string_t borrowed = occi_borrowed(name);
    return occi_extension_types_method_entity_get(view.shown->entity, &borrowed, value);
}

static bool find_as(uint8_t type, occi_view view, const char *name, value_t *value)
{
    return find(view, name, value) && value->tag == type;
}

/* What came with the call is copied, so that it can be read again. */
static const char *text(extension_string_t found)
{
    extension_string_t copy = { .ptr = NULL, .len = found.len };
    if (found.len > 0)
        copy.ptr = memcpy(occi_resize(NULL, found.len), found.ptr, found.len);
    return occi_received(copy);
}

const char *occi_text(occi_view view, const char *name)
{
    value_t value;
    bool found = find_as(OCCI_EXTENSION_TYPES_VALUE_TEXT, view, name, &value);
    return found ? text(value.val.text) : NULL;
}

bool occi_integer(occi_view view, const char *name, int64_t *value)
{
    value_t found;
    if (!find_as(OCCI_EXTENSION_TYPES_VALUE_INTEGER, view, name, &found))
        return false;
    *value = found.val.integer;
    return true;
}

bool occi_number(occi_view view, const char *name, double *value)
{
    value_t found;
    if (!find_as(OCCI_EXTENSION_TYPES_VALUE_NUMBER, view, name, &found))
        return false;
    *value = found.val.number;
    return true;
}

bool occi_boolean(occi_view view, const char *name, bool *value)
{
    value_t found;
    if (!find_as(OCCI_EXTENSION_TYPES_VALUE_BOOLEAN, view, name, &found))
        return false;
    *value = found.val.boolean;
    return true;
}

const char *occi_json(occi_view view, const char *name)
{
    value_t value;
    bool found = find_as(OCCI_EXTENSION_TYPES_VALUE_STRUCTURED, view, name, &value);
    return found ? text(value.val.structured) : NULL;
}
