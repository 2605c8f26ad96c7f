#include "range.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool address_parse(const char *text, uint32_t *address)
{
    uint32_t parsed = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && *text++ != '.')
            return false;
        uint32_t number = 0;
        int digits = 0;
        while (*text >= '0' && *text <= '9' && digits < 4) {
            number = number * 10 + (uint32_t)(*text++ - '0');
            digits++;
        }
        /* A leading zero is octal to some readers, and so means two addresses. */
        bool leading_zero = digits > 1 && number < (digits == 2 ? 10u : 100u);
        if (digits == 0 || digits > 3 || number > 255 || leading_zero)
            return false;
        parsed = parsed << 8 | number;
    }
    if (*text != '\0')
        return false;
    *address = parsed;
    return true;
}

void address_print(uint32_t address, char text[ADDRESS_ROOM])
{
    snprintf(text, ADDRESS_ROOM, "%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32, address >> 24, address >> 16 & 255,
             address >> 8 & 255, address & 255);
}

bool address_from_key(const char *key, uint32_t *address)
{
    uint32_t parsed = 0;
    if (strlen(key) != 8)
        return false;
    for (; *key != '\0'; key++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, *key);
        if (digit == NULL)
            return false;
        parsed = parsed << 4 | (uint32_t)(digit - digits);
    }
    *address = parsed;
    return true;
}

void address_to_key(uint32_t address, char key[ADDRESS_ROOM])
{
    snprintf(key, ADDRESS_ROOM, "%08" PRIx32, address);
}

bool range_holds(range range, uint32_t address)
{
    return range.first <= address && address <= range.last;
}

bool range_first_free(range range, const uint32_t *taken, size_t count, uint32_t *address)
{
    uint32_t candidate = range.first;
    for (size_t i = 0; i < count; i++) {
        if (taken[i] < candidate)
            continue;
        if (taken[i] > candidate)
            break;
        if (candidate == range.last)
            return false;
        candidate++;
    }
    *address = candidate;
    return true;
}
