#include "text.h"

#include <string.h>

typedef occi_extension_types_borrow_entity_t entity;

static const char *always(void (*ask)(entity, extension_string_t *), const occi_subject *subject)
{
    extension_string_t text;
    ask(subject->entity, &text);
    return occi_received(text);
}

static const char *perhaps(bool (*ask)(entity, extension_string_t *), const occi_subject *subject)
{
    extension_string_t text;
    return ask(subject->entity, &text) ? occi_received(text) : NULL;
}

const char *occi_id(const occi_subject *subject)
{
    return always(occi_extension_types_method_entity_id, subject);
}

const char *occi_location(const occi_subject *subject)
{
    return always(occi_extension_types_method_entity_location, subject);
}

const char *occi_kind(const occi_subject *subject)
{
    return always(occi_extension_types_method_entity_kind, subject);
}

bool occi_has_mixin(const occi_subject *subject, const char *mixin)
{
    extension_list_string_t mixins;
    occi_extension_types_method_entity_mixins(subject->entity, &mixins);
    size_t length = strlen(mixin);
    for (size_t i = 0; i < mixins.len; i++)
        if (mixins.ptr[i].len == length && memcmp(mixins.ptr[i].ptr, mixin, length) == 0)
            return true;
    return false;
}

const char *occi_state(const occi_subject *subject)
{
    return perhaps(occi_extension_types_method_entity_state, subject);
}

const char *occi_source(const occi_subject *subject)
{
    return perhaps(occi_extension_types_method_entity_source, subject);
}

const char *occi_target(const occi_subject *subject)
{
    return perhaps(occi_extension_types_method_entity_target, subject);
}
