#include "text.h"

#include <string.h>

bool occi_refuse(occi_fault *fault, const char *code, const char *attribute, const char *message, ...)
{
    va_list arguments;
    va_start(arguments, message);
    char *text = occi_formatted(message, arguments);
    va_end(arguments);
    *fault = (occi_fault){ .code = occi_copied(code), .message = { .ptr = (uint8_t *)text, .len = strlen(text) } };
    if (attribute != NULL)
        fault->attribute = (extension_option_string_t){ .is_some = true, .val = occi_copied(attribute) };
    return false;
}
