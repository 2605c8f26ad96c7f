#include "text.h"

typedef occi_extension_types_value_t value_t;

static void set(occi_change *change, const char *name, value_t value)
{
    occi_attributes *list = &change->set;
    list->ptr = occi_resize(list->ptr, (list->len + 1) * sizeof *list->ptr);
    list->ptr[list->len++] = (occi_extension_types_attribute_t){ .name = occi_copied(name), .value = value };
}

void occi_set_text(occi_change *change, const char *name, const char *value)
{
    set(change, name, (value_t){ .tag = OCCI_EXTENSION_TYPES_VALUE_TEXT, .val.text = occi_copied(value) });
}

void occi_set_integer(occi_change *change, const char *name, int64_t value)
{
    set(change, name, (value_t){ .tag = OCCI_EXTENSION_TYPES_VALUE_INTEGER, .val.integer = value });
}

void occi_set_number(occi_change *change, const char *name, double value)
{
    set(change, name, (value_t){ .tag = OCCI_EXTENSION_TYPES_VALUE_NUMBER, .val.number = value });
}

void occi_set_boolean(occi_change *change, const char *name, bool value)
{
    set(change, name, (value_t){ .tag = OCCI_EXTENSION_TYPES_VALUE_BOOLEAN, .val.boolean = value });
}

void occi_set_json(occi_change *change, const char *name, const char *document)
{
    set(change, name,
        (value_t){ .tag = OCCI_EXTENSION_TYPES_VALUE_STRUCTURED, .val.structured = occi_copied(document) });
}

void occi_clear(occi_change *change, const char *name)
{
    extension_list_string_t *list = &change->clear;
    list->ptr = occi_resize(list->ptr, (list->len + 1) * sizeof *list->ptr);
    list->ptr[list->len++] = occi_copied(name);
}

void occi_set_state(occi_change *change, const char *state)
{
    change->state = (extension_option_string_t){ .is_some = true, .val = occi_copied(state) };
}

void occi_set_message(occi_change *change, const char *message)
{
    change->message = (extension_option_string_t){ .is_some = true, .val = occi_copied(message) };
}

void occi_again(occi_change *change, uint64_t milliseconds)
{
    change->again = (extension_option_u64_t){ .is_some = true, .val = milliseconds };
}
