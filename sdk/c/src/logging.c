#include "text.h"

void occi_log(occi_level level, const char *message, ...)
{
    va_list arguments;
    va_start(arguments, message);
    extension_string_t text = occi_borrowed(occi_formatted(message, arguments));
    va_end(arguments);
    extension_string_t context = occi_borrowed("");
    wasi_logging_logging_log((wasi_logging_logging_level_t)level, &context, &text);
}
